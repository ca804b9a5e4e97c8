"""Messages as bytes."""

import json

from engine.output.streaming.message import as_line, osc_message


def test_fault_45_a_name_that_is_no_utf8_is_read_back_as_it_was():
    line = as_line({"source": "caf\udce9.mp4"})
    assert json.loads(line.decode("utf-8")) == {"source": "caf\udce9.mp4"}
    assert osc_message("/a", "s", "caf\udce9").decode("utf-8").rstrip("\0").endswith("caf\\udce9")
