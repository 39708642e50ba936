"""/healthz and /readyz of the pipeline: the inside half of the dead-man's switch.

It is ready while alerts are evaluated: three missed minutes end it, whatever the reason.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from pipeline.probes import Answer, ProbeServer
from pipeline.state_file import OperationsRefused


@contextmanager
def serve(port: int, watching: Callable[[], bool]) -> Iterator[ProbeServer]:
    """Answer probes inside the block; raises OperationsRefused where the port is taken."""

    def answer(path: str) -> Answer:
        if path not in ("/healthz", "/readyz"):
            return 404, "text/plain", b"there are /healthz and /readyz here\n"
        good = path == "/healthz" or watching()
        sentence = "" if good else "alerts have not been evaluated for more than three minutes; see the log"
        body = json.dumps({"status": "ok" if good else "not ready", "sentence": sentence}).encode()
        return (200 if good else 503), "application/json", body

    try:
        server = ProbeServer(port, answer)
    except OSError as error:
        raise OperationsRefused(
            f"port {port} cannot be used ({error.strerror}); free it or set PERISCOPE_PIPELINE__HEALTH_PORT to another "
            "port, 0 to go without"
        ) from error
    with closing(server):
        yield server
