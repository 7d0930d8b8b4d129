"""A stand-in for telephony's WebSocket, for one page at a time (RFC 6455, no extensions)."""
import base64
import hashlib
import json
import socket
import struct
import threading


class Line:
    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.texts, self.frames = [], []
        self.subprotocol = self.path = None
        self.connection = None
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                self.shake_hands(connection)
                self.connection = connection
                self.read(connection)
            except (OSError, EOFError):
                pass
            connection.close()

    def shake_hands(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.take(connection, 1)
        lines = head.decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        self.path, self.subprotocol = lines[0].split()[1], headers.get("sec-websocket-protocol")
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1((headers["sec-websocket-key"] + guid).encode()).digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                           b"Connection: Upgrade\r\nSec-WebSocket-Protocol: parley-phone-1\r\n"
                           b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")

    @staticmethod
    def take(connection, count):
        data = b""
        while len(data) < count:
            part = connection.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def read(self, connection):
        while True:
            first, second = self.take(connection, 2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack("!H", self.take(connection, 2))[0]
            elif size == 127:
                size = struct.unpack("!Q", self.take(connection, 8))[0]
            mask = self.take(connection, 4)
            data = bytes(b ^ mask[i & 3] for i, b in enumerate(self.take(connection, size)))
            if first & 15 == 1:
                self.texts.append(json.loads(data))
            elif first & 15 == 2:
                self.frames.append(data)
            elif first & 15 == 8:
                raise EOFError

    def send(self, data):
        kind, data = (0x81, json.dumps(data).encode()) if isinstance(data, dict) else (0x82, data)
        size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack("!H", len(data))
        self.connection.sendall(bytes([kind]) + size + data)

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        except OSError:
            pass
        self.listener.close()
        if self.connection:
            self.connection.close()
