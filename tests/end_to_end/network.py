"""A network between a client and a box that loses connections."""

import socket
import threading
import time
from contextlib import suppress


class Network:
    """Carries connections to a port, as long as it is not `down`.

    Each of the first ones that send so much is cut after so many bytes of it; where it `stays_down`, nothing is
    carried from then on. Where a `pace` is given, it carries so many bytes a second there.
    """

    def __init__(self, port: int, cuts: list[int], pace: float = 0.0) -> None:
        self.port_behind = port
        self.pace = pace
        self.cuts = cuts
        self.cut = 0  # how many were
        self.down = False
        self.stays_down = False
        self._cutting = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        if self.down:
            near.close()
            return
        try:
            far = socket.create_connection(("127.0.0.1", self.port_behind))
        except OSError:  # the box is down
            near.close()
            return
        with near, far:
            threading.Thread(target=self._pass_back, args=(far, near), daemon=True).start()
            passed = 0
            try:
                while (data := near.recv(1 << 16)) and not self.down:
                    far.sendall(data)
                    passed += len(data)
                    if self.pace:
                        time.sleep(len(data) / self.pace)
                    with self._cutting:
                        if self.cuts and passed >= self.cuts[0]:
                            self.cuts.pop(0)
                            self.cut += 1
                            self.down = self.stays_down
                            return
            except OSError:
                return

    @staticmethod
    def _pass_back(far: socket.socket, near: socket.socket) -> None:
        try:
            while data := far.recv(1 << 16):
                near.sendall(data)
        except OSError:
            pass
        with suppress(OSError):  # it is closed from the other side already
            near.shutdown(socket.SHUT_RDWR)
