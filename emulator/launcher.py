"""Starts the emulator (ministack.app) with its gaps filled, on 127.0.0.1 only.

The first line of stdout is one JSON object: {"endpoint", "port", "pid"} or {"error"}.
Everything else goes to stderr. The process ends on SIGTERM, on SIGINT, and when stdin
reaches its end while --watch-stdin is given (that is how it notices its parent's death).
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = "127.0.0.1"


def parse_arguments():
    parser = argparse.ArgumentParser(description="LocalStack-compatible AWS emulator")
    parser.add_argument("--port", type=int, default=0, help="0 = any free port")
    parser.add_argument("--auth", action="store_true", help="enforce IAM, as AWS does")
    parser.add_argument("--watch-stdin", action="store_true", help="stop when stdin ends")
    return parser.parse_args()


def report(message):
    """The one line the parent reads; stdout then joins stderr so that no print() blocks on a full pipe."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
    os.dup2(2, 1)


def fail(message):
    report({"error": message})
    raise SystemExit(3)


def listen(port):
    """Bind before the emulator is imported: it reads its own port from the environment at import time."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name != "nt":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
        sock.listen(512)
    except OSError as error:
        fail(f"port {port} on {HOST} cannot be used ({error.strerror}): stop what listens there or choose another port")
    sock.setblocking(False)
    return sock


def configure(port, auth, state_dir):
    endpoint = f"http://{HOST}:{port}"
    os.environ.update(
        {
            "GATEWAY_PORT": str(port),
            "BIND_HOST": HOST,
            "AUTH": "true" if auth else "false",
            "AWS_ENDPOINT_URL": endpoint,
            # A region or key of the user's own profile must not leak into the emulator or its Lambda workers.
            "MINISTACK_REGION": os.environ.get("MINISTACK_REGION", "us-east-1"),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "LAMBDA_EXECUTOR": "local",
            "DOCKER_HOST": f"unix://{state_dir}/no-docker.sock",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "S3_DATA_DIR": os.path.join(state_dir, "s3"),
            "STATE_DIR": os.path.join(state_dir, "state"),
            "TMPDIR": state_dir,
            "TEMP": state_dir,
            "TMP": state_dir,
        }
    )
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "PERSIST_STATE", "LOCALSTACK_PERSISTENCE", "S3_PERSIST", "USE_SSL"):
        os.environ.pop(name, None)
    tempfile.tempdir = state_dir
    return endpoint


def end_group(state_dir):
    """End the Lambda workers (they share this process's group), remove the state, leave at once."""
    if os.name != "nt" and os.getpid() == os.getpgrp():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(os.getpgrp(), signal.SIGTERM)
    else:
        for worker in list_workers():
            worker.kill()
    for _ in range(5):
        shutil.rmtree(state_dir, ignore_errors=True)
        if not os.path.exists(state_dir):
            break
        time.sleep(0.05)
    os._exit(0)


def list_workers():
    from ministack.core import lambda_runtime

    pools = getattr(lambda_runtime, "_workers", {})
    workers = [w for pool in pools.values() for w in (pool if isinstance(pool, list) else [pool])]
    return [w._proc for w in workers if getattr(w, "_proc", None)]


def watch_stdin(state_dir):
    while sys.stdin.buffer.read(4096):
        pass
    if os.name == "nt":
        end_group(state_dir)
    # Signal handlers run on the main thread only, and there is one for this.
    os.kill(os.getpid(), signal.SIGTERM)


def serve(sock, app):
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{sock.fileno()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"

    async def never():
        await asyncio.Event().wait()

    asyncio.run(hypercorn_serve(app, config, shutdown_trigger=never))


def main():
    arguments = parse_arguments()
    sys.path.insert(0, HERE)
    from gaps.patching import IncompatibleEmulator, check_version

    try:
        from importlib.metadata import version

        check_version(version("ministack"))
    except IncompatibleEmulator as error:
        fail(str(error))
    except ImportError:
        fail("ministack is not installed: run .venv/bin/pip install --require-hashes -r emulator/requirements.txt")

    sock = listen(arguments.port)
    port = sock.getsockname()[1]
    state_dir = tempfile.mkdtemp(prefix="entangle-emulator-")
    endpoint = configure(port, arguments.auth, state_dir)

    def stop(*_):
        end_group(state_dir)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if arguments.watch_stdin:
        threading.Thread(target=watch_stdin, args=(state_dir,), daemon=True).start()

    from gaps import install

    try:
        app = install.everything()
    except IncompatibleEmulator as error:
        shutil.rmtree(state_dir, ignore_errors=True)
        fail(f"this ministack does not fit emulator/gaps: {error}")
    report({"endpoint": endpoint, "port": port, "pid": os.getpid()})
    try:
        serve(sock, app)
    finally:
        end_group(state_dir)


if __name__ == "__main__":
    main()
