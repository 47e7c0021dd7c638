#!/usr/bin/env python3
"""The QKeras jet tagger of the shared data: QKeras' own softmax, its accuracy, and the integers that a truncating input gives."""
import sys

import npy
from kaon import Kaon, agreement, argmax_rows, differences, need_shared


def main():
    kaon = Kaon(sys.argv[1])
    engines = sys.argv[2] if len(sys.argv) > 2 else "ref,circuit,clock"
    data = need_shared("data", "jets_mlp")
    peers = need_shared("peers", "jets_mlp_6bit")
    labels = npy.load(data / "y.npy")[0]
    model, events = data / "qkeras_6bit.h5", data / "x.npy"

    wide = kaon.at / "wide"
    kaon("compile", model, "-o", wide, "--input-type", "fixed<36,10,RND,SAT>")
    result = kaon.at / "softmax.npy"
    kaon("run", wide, "-i", events, "-o", result)
    softmax, reference = npy.load(result)[0], npy.load(data / "qkeras_6bit_ref_softmax.npy")[0]
    largest = max(abs(a - b) for a, b in zip(softmax, reference))
    accuracy = agreement(argmax_rows(softmax, 5), labels)
    print(f"softmax differs from QKeras' by at most {largest:.3g}, accuracy {accuracy:.3f}")
    assert largest <= 2e-7 and round(accuracy, 3) == 0.780

    narrow = kaon.at / "narrow"
    kaon("compile", model, "-o", narrow, "--input-type", "fixed<16,6>")
    result = kaon.at / "raw.npy"
    kaon("run", narrow, "-i", peers / "x.npy", "-o", result, "--raw")
    got, wanted = npy.load(result)[0], npy.load(peers / "y.npy")[0]
    assert differences(got, wanted) == 0
    for design, source, raw in ((wide, events, []), (narrow, peers / "x.npy", ["--raw"])):
        check = kaon("check", design, "-i", source, "--engines", engines, *raw)
        assert check["events"] == 1000 and check["differences"] == 0
    print(f"1000 events identical by {engines}")


main()
