"""Requests from pages to a collector over MQTT, and the client that makes them.

A request comes on `periscope/control/{collector}`, its answer goes to `periscope/answers/{collector}`; both are QoS 1
and not retained, and are no messages of a feed: the ledger does not count them. What requests do is in `control_desk`.
Promises: nothing that arrives ends the collector or waits in memory without bound; a request made while no collector
runs is not kept for later. Who may ask is the broker's access list (deploy/mosquitto/acl).
"""

import contextlib
import logging
import queue
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from collectors.control_desk import MOST_REQUEST, Answer, Desk, Request
from collectors.message import BrokerRefused, CollectorError
from collectors.mqtt import Client, absence, new_client, refusal, subscribe
from collectors.spool import Spool
from collectors.topics import Roster
from config.settings import Mqtt

log = logging.getLogger(__name__)
_WAITING = 100
_read_answer = msgspec.json.Decoder(Answer).decode


class NoAnswer(CollectorError):
    """The broker took the request and no collector answered in time."""


def control_topic(collector: str) -> str:
    return f"periscope/control/{collector}"


def answers_topic(collector: str) -> str:
    return f"periscope/answers/{collector}"


class Control:
    """Listens for requests on a connection of its own and answers them on a thread of its own."""

    def __init__(self, settings: Mqtt, collector: str, spool: Spool, roster: Roster) -> None:
        self._settings, self._collector = settings, collector
        self.desk = Desk(spool, roster)
        self.ready = threading.Event()
        self._requests: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._client = new_client(settings, f"periscope-{collector}-control", keep_session=False)
        self._client.on_connect, self._client.on_message = self._on_connect, self._on_message
        self._client.on_subscribe, self._client.on_disconnect = self._on_subscribe, self._on_disconnect
        self._thread = threading.Thread(target=self._work, name="control", daemon=True)

    def start(self) -> None:
        self._client.loop_start()
        self._thread.start()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        with contextlib.suppress(queue.Full):
            self._requests.put_nowait(None)
        if self._thread.is_alive():
            self._thread.join(2)

    def _work(self) -> None:
        while (payload := self._requests.get()) is not None:
            if (answer := self.desk.answer(payload)) is not None:
                self._client.publish(answers_topic(self._collector), answer, qos=1)

    def _on_message(self, client: Any, _data: Any, message: Any) -> None:
        if message.qos:
            client.puback_all([message.mid])
        if message.retain:  # a request is for now; one that a broker kept is none
            return
        try:
            self._requests.put_nowait(message.payload[: MOST_REQUEST + 1])
        except queue.Full:
            self.desk.counts["overrun"] += 1

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        if reason.is_failure:
            log.warning("requests from pages cannot be heard: %s", refusal(self._settings, str(reason)))
            return
        subscribe(client, [control_topic(self._collector)], v5=self._settings.protocol == "5")

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: list[Any], _props: Any) -> None:
        if reasons[0].is_failure:
            log.warning(
                'requests from pages cannot be heard: let the broker\'s user "%s" read %s',
                self._settings.username or "",
                control_topic(self._collector),
            )
            return
        self.ready.set()

    def _on_disconnect(self, *_args: Any) -> None:
        self.ready.clear()


class ControlClient:
    """Asks collectors; for pages, through the composition root."""

    def __init__(self, settings: Mqtt) -> None:
        self._settings = settings

    def ask(self, collector: str, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """The answer as a dictionary (fields of Answer); `id` is made when the request has none.

        Raises NoAnswer, BrokerAway or BrokerRefused with the sentence to show, and ValueError for what is no request.
        """
        whole = {"id": secrets.token_hex(16), **request}
        try:
            payload = msgspec.json.encode(msgspec.convert(whole, Request))
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None
        if len(payload) > MOST_REQUEST:
            raise ValueError(f"a request has at most {MOST_REQUEST} bytes")
        with _Call(self._settings, collector, str(whole["id"])) as call:
            answer = call.answer(payload, time.monotonic() + timeout)
        found: dict[str, Any] = msgspec.to_builtins(answer)
        return found


class _Call:
    """One connection for one request."""

    def __init__(self, settings: Mqtt, collector: str, name: str) -> None:
        self._settings, self._collector, self._name = settings, collector, name
        self._news: queue.Queue[Answer | CollectorError | str] = queue.Queue()
        self._client: Client = new_client(settings, f"periscope-asks-{secrets.token_hex(6)}", keep_session=False)
        self._client.on_connect, self._client.on_message = self._on_connect, self._on_message
        self._client.on_connect_fail, self._client.on_subscribe = self._on_connect_fail, self._on_subscribe

    def __enter__(self) -> "_Call":
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def answer(self, payload: bytes, deadline: float) -> Answer:
        self._wait(deadline, lambda news: news == "heard")
        self._client.publish(control_topic(self._collector), payload, qos=1)
        found = self._wait(deadline, lambda news: isinstance(news, Answer))
        assert isinstance(found, Answer)
        return found

    def _wait(self, deadline: float, wanted: Callable[[Answer | str], bool]) -> Answer | str:
        while True:
            try:
                news = self._news.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise NoAnswer(
                    f'collector "{self._collector}" did not answer in time; see whether it runs, and '
                    f'whether the broker lets the user "{self._settings.username or ""}" write '
                    f"{control_topic(self._collector)}"
                ) from None
            if isinstance(news, CollectorError):
                raise news
            if wanted(news):
                return news

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        if reason.is_failure:
            self._news.put(refusal(self._settings, str(reason)))
        else:
            subscribe(client, [answers_topic(self._collector)], v5=self._settings.protocol == "5")

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        self._news.put(absence(self._settings, sys.exc_info()[1]))

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: list[Any], _props: Any) -> None:
        denied = BrokerRefused(
            f"broker {self._settings.host}:{self._settings.port}: does not let the user "
            f'"{self._settings.username or ""}" read {answers_topic(self._collector)}; see docs/deploy.md'
        )
        self._news.put(denied if reasons[0].is_failure else "heard")

    def _on_message(self, client: Any, _data: Any, message: Any) -> None:
        if message.qos:
            client.puback_all([message.mid])
        try:
            answer = _read_answer(message.payload)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return
        if answer.id == self._name:
            self._news.put(answer)
