"""A relay between a client and the gateway that changes no byte and keeps every one.

A stack gets a relay of its own, so that its traffic is told from others'. What must stay true: the
gateway sees exactly what the client sent (version, headers, chunks, `Host`), so that nothing here
can make a stack pass. What went over is taken apart only afterwards.
"""

import gzip
import socket
import threading

# Long enough for any machine; nothing waits so long unless it hangs.
PATIENCE = 60


class Message:
    """A request or an answer: its first line, its headers in their order, its body."""

    def __init__(self, first, headers, body):
        self.first, self.headers, self.body = first, headers, body

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        return ", ".join(self.all(name))

    def content(self):
        """The body as its reader sees it."""
        if self.header("content-encoding") == "gzip":
            return gzip.decompress(self.body)
        return self.body


class Exchange:
    """A request, its answer, and whether a 100 Continue came before that."""

    def __init__(self, request, answer, is_continued):
        self.request, self.answer, self.is_continued = request, answer, is_continued


class Relay:
    """Listens on a port of its own and passes each connection on to `upstream`."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def exchanges(self):
        """What was said on each connection that said anything; ValueError for what is no HTTP."""
        spoken = [_exchanges(bytes(up), bytes(down)) for up, down in self.connections]
        return [exchanges for exchanges in spoken if exchanges]

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        record = (bytearray(), bytearray())
        self.connections.append(record)
        with client, socket.create_connection(self.upstream, PATIENCE) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            down = threading.Thread(target=_pump, args=(server, client, record[1]), daemon=True)
            down.start()
            _pump(client, server, record[0])
            down.join()


def _pump(source, target, kept):
    """Passes on what comes until its end, and the end too."""
    source.settimeout(PATIENCE)
    try:
        while data := source.recv(65536):
            kept += data
            target.sendall(data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _exchanges(sent, received):
    found = []
    while sent:
        request, sent = _message(sent, is_answer=False)
        is_continued = False
        answer, received = _message(received, is_answer=True)
        while answer.first.split()[1].startswith("1"):
            is_continued = True
            answer, received = _message(received, is_answer=True)
        found.append(Exchange(request, answer, is_continued))
    if received:
        raise ValueError(f"an answer to nothing: {received[:200]!r}")
    return found


def _message(data, is_answer):
    """The first message of `data`, and what follows it."""
    head, blank, rest = data.partition(b"\r\n\r\n")
    if not blank:
        raise ValueError(f"no end of the head: {data[:200]!r}")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        headers.append((name, value.strip()))
    message = Message(first, headers, b"")
    if is_answer and first.split()[1].startswith("1"):
        return message, rest
    if message.header("transfer-encoding").lower() == "chunked":
        message.body, rest = _chunks(rest)
    elif message.all("content-length"):
        length = int(message.header("content-length"))
        if len(rest) < length:
            raise ValueError(f"{first}: {len(rest)} bytes of {length}")
        message.body, rest = rest[:length], rest[length:]
    elif is_answer:
        message.body, rest = rest, b""
    return message, rest


def _chunks(data):
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            while data and not data.startswith(b"\r\n"):
                _, _, data = data.partition(b"\r\n")
            return body, data[2:]
        body, data = body + data[:length], data[length + 2 :]
