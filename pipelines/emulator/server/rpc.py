"""gRPC plumbing: methods → handlers whose errors reach the client as statuses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import grpc

from pipelines.emulator.server.errors import ApiError, EmulatorError

Method = Callable[[Any], bytes]
_LOG = logging.getLogger(__name__)


def handler(service: str, methods: Mapping[str, tuple[Any, Method]]) -> grpc.GenericRpcHandler:
    """What a gRPC server registers; `methods` is name → (proto-plus request type, method)."""
    return grpc.method_handlers_generic_handler(
        service,
        {
            name: grpc.unary_unary_rpc_method_handler(
                _guarded(method), request_deserializer=request.pb().FromString
            )
            for name, (request, method) in methods.items()
        },
    )


def _guarded(method: Method) -> Callable[[Any, Any], bytes]:
    def call(request: Any, context: Any) -> bytes:
        try:
            return method(request)
        except ApiError as error:
            context.abort(error.code, error.message)
        except EmulatorError as error:  # a faults file that became unusable: said, not hidden
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except Exception:  # a fault of ours must look like the service's own, and be logged
            _LOG.exception("The emulator failed on %s", type(request).__name__)
            context.abort(grpc.StatusCode.INTERNAL, "Internal error encountered.")
        raise AssertionError("abort always raises")

    return call
