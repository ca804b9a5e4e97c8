"""Load and run models with the runtime of the Python that runs this file, 3.7 and later, and nothing else installed.

`python worker.py MODULE JOB RESULT`: the job holds for each model `NAME.tflite` (bytes `[B]` uint8) and `NAME.input`
(`[N, 1, S, S, 3]` float32, N may be 0); the result `NAME.0`, `NAME.1`, ... (each output, `[N, ...]`), `NAME.ms` (`[N]`,
the times of the runs), or `NAME.error` where the runtime refused.
"""

from importlib import import_module
from sys import argv
from time import perf_counter

import numpy as np


def work(interpreter_class, content, inputs):
    """Return the arrays of one model by the end of their names."""
    interpreter = interpreter_class(model_content=content, num_threads=1)
    if not len(inputs):
        return {}
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]
    ends = interpreter.get_output_details()
    outputs, times = [], []
    for value in inputs:
        interpreter.set_tensor(entry, value)
        start = perf_counter()
        interpreter.invoke()
        times.append(1000 * (perf_counter() - start))
        outputs.append([interpreter.get_tensor(end["index"]) for end in ends])
    found = {str(place): np.concatenate(arrays) for place, arrays in enumerate(zip(*outputs))}  # noqa: B905  (3.7)
    found["ms"] = np.array(times)
    return found


def main(module, job, result):
    """Work off the job."""
    interpreter_class = import_module(module + ".interpreter").Interpreter
    arrays, found = np.load(job), {}
    for key in arrays.files:
        name, _, kind = key.rpartition(".")
        if kind != "tflite":
            continue
        try:
            done = work(interpreter_class, arrays[key].tobytes(), arrays[name + ".input"])
        except (ValueError, RuntimeError) as error:
            done = {"error": np.array(str(error))}
        found.update({name + "." + end: value for end, value in done.items()})
    np.savez(result, **found)


if __name__ == "__main__":
    main(*argv[1:])
