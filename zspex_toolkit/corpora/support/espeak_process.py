"""A process of its own that speaks: run as a script by ``_espeak.py``, it imports nothing of the toolkit.

    python _espeak_process.py LIBESPEAK DATA_PARENT < jobs > samples

A job is one line of JSON: ``{"voice": ..., "rate": ..., "text": ...}``. The answer, in the order of the jobs, is the
number of samples (unsigned 32 bit, little-endian; 0 = failed) and the samples (int16, little-endian).

The library keeps state from one sentence to the next, so the same sentence spoken twice in one process differs. Each
job is therefore spoken by a fork of the freshly initialised library; a script without threads may fork safely.
"""

import contextlib
import ctypes
import json
import os
import struct
import sys

SYNCHRONOUS, CHARACTERS, UTF8, RATE, VOLUME = 2, 1, 1, 1, 2  # of espeak-ng's speak_lib.h

Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def open_library(library_path: str, data_parent: str) -> ctypes.CDLL:
    """Load and initialise espeak-ng; its buffer for the data path is 160 bytes, hence the change of folder."""
    os.chdir(data_parent)
    library = ctypes.CDLL(library_path)
    fs = library.espeak_Initialize(SYNCHRONOUS, 0, b".", 0)
    if fs != 22050:
        sys.exit(f"espeak-ng: expected to initialise at 22050 Hz, it answered {fs}")
    return library


def speak(library: ctypes.CDLL, voice: str, rate: int, text: str) -> bytes:
    """Samples of one sentence, int16 at 22,050 Hz; empty if the library refuses the voice or the text."""
    pieces = []

    def collect(samples, num_samples, _events):
        if samples and num_samples > 0:
            pieces.append(ctypes.string_at(samples, 2 * num_samples))
        return 0

    callback = Callback(collect)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        return b""
    library.espeak_SetParameter(RATE, rate, 0)
    library.espeak_SetParameter(VOLUME, 40, 0)  # of 100, which clips
    encoded = text.encode()
    status = library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded) + 1), 0, CHARACTERS, 0, UTF8, None, None)
    library.espeak_Synchronize()
    return b"".join(pieces) if status == 0 else b""


def speak_in_a_fork(library: ctypes.CDLL, job: dict) -> bytes:
    """One sentence, spoken by a child that ends with it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        # Who no longer reads was killed, as another sentence had failed: that is no fault to tell of.
        with contextlib.suppress(BrokenPipeError), os.fdopen(writer, "wb") as pipe:
            pipe.write(speak(library, **job))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        samples = pipe.read()
    os.waitpid(child, 0)
    return samples


def main(library_path: str, data_parent: str) -> None:
    library = open_library(library_path, data_parent)
    for line in sys.stdin:
        samples = speak_in_a_fork(library, json.loads(line))
        sys.stdout.buffer.write(struct.pack("<I", len(samples) // 2) + samples)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
