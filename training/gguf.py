"""A small writer and reader of GGUF version 3 files (F32 and F16 tensors only), enough for the toy policy."""

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

ALIGNMENT = 32
MAGIC, VERSION = b"GGUF", 3

# Value types of the format's metadata, and of its tensors.
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 4, 5, 6, 7, 8, 9, 10
SCALARS = {UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?", UINT64: "<Q"}
TENSOR_TYPES = {0: np.dtype("<f4"), 1: np.dtype("<f2")}
F32, F16 = 0, 1


@dataclass
class Gguf:
    """Metadata as key -> (type, value), for arrays (ARRAY, (element type, values)); tensors as name -> array."""

    metadata: dict[str, tuple[int, object]] = field(default_factory=dict)
    tensors: dict[str, np.ndarray] = field(default_factory=dict)

    def value(self, key: str):
        kind, value = self.metadata[key]
        return value[1] if kind == ARRAY else value


def pack_string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def pack_value(kind: int, value) -> bytes:
    if kind == STRING:
        return pack_string(value)
    if kind == ARRAY:
        element, values = value
        return struct.pack("<IQ", element, len(values)) + b"".join(pack_value(element, item) for item in values)
    return struct.pack(SCALARS[kind], value)


def padding(length: int) -> bytes:
    return b"\0" * (-length % ALIGNMENT)


def write(path: Path, model: Gguf) -> None:
    """Writes the file in one go. Dimensions are stored fastest first, that is, reversed against numpy's shape."""
    header = MAGIC + struct.pack("<IQQ", VERSION, len(model.tensors), len(model.metadata))
    for key, (kind, value) in model.metadata.items():
        header += pack_string(key) + struct.pack("<I", kind) + pack_value(kind, value)
    data = b""
    for name, array in model.tensors.items():
        kind = F16 if array.dtype == np.float16 else F32
        shape = array.shape[::-1]
        header += pack_string(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape) + struct.pack("<IQ", kind, len(data))
        raw = np.ascontiguousarray(array, dtype=TENSOR_TYPES[kind]).tobytes()
        data += raw + padding(len(raw))
    path.write_bytes(header + padding(len(header)) + data)


def read_exact(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise ValueError("the GGUF file ends too early")
    return data


def unpack(file: BinaryIO, layout: str):
    return struct.unpack(layout, read_exact(file, struct.calcsize(layout)))[0]


def read_string(file: BinaryIO) -> str:
    return read_exact(file, unpack(file, "<Q")).decode()


def read_value(file: BinaryIO, kind: int):
    if kind == STRING:
        return read_string(file)
    if kind == ARRAY:
        element, count = unpack(file, "<I"), unpack(file, "<Q")
        return element, [read_value(file, element) for _ in range(count)]
    if kind not in SCALARS:
        raise ValueError(f"metadata of type {kind} is not supported")
    return unpack(file, SCALARS[kind])


def read(path: Path) -> Gguf:
    """Reads what `write` writes; raises ValueError for anything else."""
    model = Gguf()
    with path.open("rb") as file:
        if read_exact(file, 4) != MAGIC or unpack(file, "<I") != VERSION:
            raise ValueError(f"{path} is not a GGUF file of version {VERSION}")
        tensor_count, metadata_count = unpack(file, "<Q"), unpack(file, "<Q")
        for _ in range(metadata_count):
            key = read_string(file)
            kind = unpack(file, "<I")
            model.metadata[key] = (kind, read_value(file, kind))
        described = []
        for _ in range(tensor_count):
            name = read_string(file)
            shape = [unpack(file, "<Q") for _ in range(unpack(file, "<I"))][::-1]
            kind, offset = unpack(file, "<I"), unpack(file, "<Q")
            if kind not in TENSOR_TYPES:
                raise ValueError(f"{name}: tensors of type {kind} are not supported")
            described.append((name, shape, TENSOR_TYPES[kind], offset))
        start = file.tell() + len(padding(file.tell()))
        for name, shape, dtype, offset in described:
            file.seek(start + offset)
            raw = read_exact(file, int(np.prod(shape)) * dtype.itemsize)
            model.tensors[name] = np.frombuffer(raw, dtype=dtype).reshape(shape)
    return model
