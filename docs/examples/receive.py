"""Count blinks in another program: python receive.py 9000 beside understudy run --stream udp://127.0.0.1:9000

Other ways to receive, and what a message holds: docs/streaming.md.
"""

import json
import socket
import sys

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", int(sys.argv[1])))
print("waiting", flush=True)
blinks: dict[int, int] = {}
while True:
    message = json.loads(receiver.recv(65535))
    for face in message["faces"]:
        count = (face["signals"] or {}).get("blinks") or 0
        if count > blinks.get(face["id"], -1):
            blinks[face["id"]] = count
            print(f"frame {message['frame']}: face {face['id']} has blinked {count:.0f} times", flush=True)
