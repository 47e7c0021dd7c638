"""Reads and writes .npy and .npz with the standard library alone, so that the tests need no numpy: arrays become flat lists and a shape."""
import ast
import struct
import zipfile

CODES = {"b1": "?", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q", "f4": "f", "f8": "d"}


def parse(data):
    assert data[:6] == b"\x93NUMPY", "not an .npy file"
    size, start = (struct.unpack("<H", data[8:10])[0], 10) if data[6] == 1 else (struct.unpack("<I", data[8:12])[0], 12)
    header = ast.literal_eval(data[start:start + size].decode("latin1"))
    assert not header["fortran_order"]
    shape, count = header["shape"], 1
    for n in shape:
        count *= n
    order = ">" if header["descr"][0] == ">" else "<"
    return list(struct.unpack(f"{order}{count}{CODES[header['descr'][1:]]}", data[start + size:])), shape


def load(path):
    with open(path, "rb") as file:
        return parse(file.read())


def load_npz(path, name):
    with zipfile.ZipFile(path) as archive:
        return parse(archive.read(name + ".npy"))


def save(path, values, shape, descr="<f8"):
    header = repr({"descr": descr, "fortran_order": False, "shape": tuple(shape)})
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("latin1"))
        file.write(struct.pack(f"{descr[0]}{len(values)}{CODES[descr[1:]]}", *values))
