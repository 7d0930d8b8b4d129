"""double.py - starts a double of an outside service for a contract test, and ends it."""
import os
import subprocess
import tempfile
import time


class Double:
    """with Double('speech-double', '--api-key', 'k') as double: double.url ..."""

    def __init__(self, name, *args):
        self.folder = tempfile.TemporaryDirectory(prefix='contract-')
        self.port_file = os.path.join(self.folder.name, 'port')
        binary = os.path.join(os.environ['B'], 'bin', name)
        self.process = subprocess.Popen(
            [binary, '--port-file', self.port_file, *args], stdout=subprocess.DEVNULL)

    def __enter__(self):
        until = time.monotonic() + 30
        while not os.path.exists(self.port_file):
            assert self.process.poll() is None, 'the double ended'
            assert time.monotonic() < until, 'the double does not listen'
            time.sleep(0.02)
        with open(self.port_file, encoding='ascii') as file:
            self.url = f'http://127.0.0.1:{int(file.read())}'
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()


def checks(functions):
    """Runs them in order and prints each one's name, as a sentence."""
    for function in functions:
        function()
        print('ok', function.__name__.replace('_', ' '))
