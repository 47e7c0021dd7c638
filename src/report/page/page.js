(function () {
  "use strict";
  window.addEventListener("beforeprint", function () {
    var details = document.querySelectorAll("details");
    for (var i = 0; i < details.length; i++) details[i].open = true;
  });
  var choice = document.getElementById("neuron");
  if (!choice) return;
  function show() {
    var figures = document.querySelectorAll("figure.neuron");
    for (var i = 0; i < figures.length; i++) figures[i].classList.toggle("off", figures[i].id !== choice.value);
  }
  choice.addEventListener("change", show);
  show();
})();
