#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iommuscope export as a server: abuse, TLS and passwords, systemd, the textfile, bad input."""

import base64
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from exporter import HASH, PORT, get, load, sample, samples
from tooltest import TOOL, Observer, Tap, patience, run, tool


def resident(process):
    with open("/proc/%d/status" % process.pid, encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) * 1024


def connect(data=b""):
    """A connection that sends @data and nothing more; None if it cannot be opened."""
    connection = socket.socket()
    connection.setblocking(False)
    try:
        connection.connect(("127.0.0.1", PORT))
    except BlockingIOError:
        pass
    except OSError:
        connection.close()
        return None
    if data:
        try:
            connection.send(data)
        except OSError:
            pass
    return connection


def talk(data):
    """The answer to some bytes, until the other side closes."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=patience(30)) as connection:
        answer = b""
        try:
            for part in data:
                connection.sendall(part)
            while chunk := connection.recv(65536):
                answer += chunk
        except ConnectionError:
            pass
    return answer


def trickle(first, more):
    """Send a byte now and then. Returns how long the server allows it, None if it never ends."""
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", PORT), timeout=patience(60)) as connection:
        try:
            connection.sendall(first)
            while time.monotonic() < begin + patience(60):
                time.sleep(0.5)
                connection.setblocking(False)
                try:
                    if not connection.recv(1024):
                        return time.monotonic() - begin
                except BlockingIOError:
                    pass
                connection.setblocking(True)
                connection.sendall(more)
        except ConnectionError:
            return time.monotonic() - begin
    return None


def abuse(tap):
    resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
    with Observer("export") as observer:
        for _ in range(5):
            get("/metrics")
        before = resident(observer.process)

        answer = talk([b"GET /metrics HTTP/1.1\r\nHost: x\r\n", b"X: " + b"y" * 2000000])
        tap.ok(answer[:13] in (b"", b"HTTP/1.1 431 ", b"HTTP/1.1 413 ", b"HTTP/1.1 400 "),
               "headers without end are refused", answer[:200])
        answer = talk([b"GET /" + b"y" * 2000000])
        tap.ok(answer[:13] in (b"", b"HTTP/1.1 414 ", b"HTTP/1.1 431 "), "so is a path without end",
               answer[:200])
        for nonsense in b"\0\1\2\3\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n":
            answer = talk([nonsense + b"\r\n\r\n"])
            tap.ok(not answer.startswith(b"HTTP/1.1 200"), "nonsense is never answered with 200")
        answer = talk([b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"])
        tap.ok(answer.startswith(b"HTTP/1.1 400 "), "a request with a body is refused", answer[:100])
        for path in "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//metrics", "/metrics/":
            status, _, text = get(path)
            tap.ok(status == 404 and "root:" not in text, path + " is not found")

        slow = []
        threads = [threading.Thread(target=lambda parts: slow.append(trickle(*parts)), args=[parts])
                   for parts in ((b"G", b"x"),
                                 (b"GET /metrics HTTP/1.1\r\nHost: x\r\n", b"A: b\r\n"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tap.ok(len(slow) == 2 and all(seconds and seconds > 5 for seconds in slow),
               "a client that sends too slowly is disconnected after a while", *slow)

        # ten thousand connections at once, half of them with the start of a request
        held = [connect(b"GET /metrics HTT" if i % 2 else b"") for i in range(10000)]
        statuses = [get("/metrics")[0] for _ in range(3)]
        tap.equal(statuses, [200] * 3, "among 10000 idle connections it answers")
        most = samples(get("/metrics")[2])["iommufd_exporter_http_connections"][()]
        tap.ok(most <= 512, "and accepts a bounded number of them", most)
        for connection in held:
            if connection:
                connection.close()
        readers = [connect(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 20) for _ in range(300)]
        tap.equal(get("/metrics")[0], 200, "it also answers among clients that ask and do not read")
        for connection in readers:
            if connection:
                connection.close()
        grown = resident(observer.process) - before
        tap.ok(grown < 16 << 20, "its memory does not grow", before, grown)
        reported = samples(get("/metrics")[2])
        tap.ok(reported["iommufd_exporter_http_dropped_connections_total"][()] > 0
               and sample(reported, "iommufd_exporter_http_requests_total", code="404") == 4,
               "and it has counted all of this", reported["iommufd_exporter_http_requests_total"])
        restart(tap, observer.process)


def restart(tap, process):
    load("50", "4096")
    reported = samples(get("/metrics")[2])
    tap.equal(sample(reported, "iommufd_operations_total", operation="map", result="success"), 50,
              "afterwards it counts as before")
    process.send_signal(signal.SIGKILL)
    process.wait()
    with Observer("export") as observer:
        reported = samples(get("/metrics")[2])
    tap.equal(sample(reported, "iommufd_operations_total", operation="map", result="success"), 0,
              "after a kill and a restart it counts from zero, at the same address")
    tap.equal((observer.status, observer.stderr), (0, ""), "and ends well")


def ask(url, user=None, context=None):
    request = urllib.request.Request(url)
    if user:
        request.add_header("Authorization",
                           "Basic " + base64.b64encode(user.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=patience(60), context=context) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def certificate(folder, name):
    """A certificate and its key."""
    made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=" + name,
               "-addext", "subjectAltName=IP:127.0.0.1",
               "-keyout", os.path.join(folder, name + ".key"),
               "-out", os.path.join(folder, name + ".crt"))
    if made.returncode:
        raise RuntimeError(made.stderr)


def tls(tap):
    with tempfile.TemporaryDirectory() as folder:
        certificate(folder, "server")
        certificate(folder, "client")
        config = os.path.join(folder, "web.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
                       "basic_auth_users:\n  ann: %s\n" % HASH)
        trust = ssl.create_default_context(cafile=os.path.join(folder, "server.crt"))
        url = "https://127.0.0.1:%d/metrics" % PORT
        with Observer("export", "--web-config", config) as observer:
            tap.equal([ask(url, user, trust) for user in (None, "ann:wrong", "bob:secret", "ann",
                                                          "ann:secret", "ann:secret")],
                      [401, 401, 401, 401, 200, 200], "it serves over TLS, and only with a password")
            codes = {ask(url, "ann:wrong%d" % i, trust) for i in range(30)}
            tap.ok(codes <= {401, 429}, "guesses are refused", codes)
            tap.equal(ask(url, "ann:secret", trust), 200, "and do not lock out a known user")
            old = ssl.create_default_context(cafile=os.path.join(folder, "server.crt"))
            old.set_ciphers("ALL:@SECLEVEL=0")
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
            try:
                status = ask(url, "ann:secret", old)
            except (urllib.error.URLError, OSError):
                status = None
            tap.equal(status, None, "TLS 1.1 is refused")
            answer = talk([b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"])
            tap.ok(b"iommufd" not in answer, "without TLS nothing is served")
        tap.ok("https://" in observer.stdout and "secret" not in observer.stdout + observer.stderr,
               "it reports that it serves over TLS")
        with open(config, "w", encoding="utf-8") as file:
            file.write("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
                       "  client_ca_file: client.crt\n"
                       "  client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\n")
        with Observer("export", "--web-config", config):
            known = ssl.create_default_context(cafile=os.path.join(folder, "server.crt"))
            known.load_cert_chain(os.path.join(folder, "client.crt"),
                                  os.path.join(folder, "client.key"))
            tap.equal(ask(url, None, known), 200, "a client with a certificate is served")
            try:
                status = ask(url, None, trust)
            except (urllib.error.URLError, OSError):
                status = 403
            tap.equal(status, 403, "one without is not")


def service(tap):
    """As in the service's unit: not as root, with a socket from the manager."""
    caps = "-all,+cap_21,+cap_38,+cap_39"
    with tempfile.TemporaryDirectory() as folder, socket.socket() as listening, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        os.chmod(folder, 0o755)
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        port = listening.getsockname()[1]
        notify = os.path.join(folder, "notify")
        manager.bind(notify)
        os.chmod(notify, 0o666)
        manager.settimeout(patience(100))
        answers = []
        # a client that connects before it is ready still gets an answer
        early = threading.Thread(target=lambda: answers.append(get("/-/healthy", port=port)[0]))
        early.start()
        # as the manager does: the socket is descriptor 3, and the process id is its own
        script = 'export LISTEN_PID=$$; exec "$@" 3<&%d' % listening.fileno()
        with subprocess.Popen(["sh", "-c", script, "sh", "setpriv", "--reuid", "65534",
                               "--regid", "65534", "--clear-groups", "--inh-caps", caps,
                               "--ambient-caps", caps, "--bounding-set", caps, TOOL, "export"],
                              pass_fds=[listening.fileno()], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "LISTEN_FDS": "1", "NOTIFY_SOCKET": notify}) as process:
            tap.equal(manager.recv(100), b"READY=1", "it notifies systemd when it is ready")
            early.join()
            tap.equal(answers, [200], "and serves on the socket that it was given")
            tap.equal(manager.recv(100), b"WATCHDOG=1", "and that it is alive")
            load("20", "4096")
            reported = samples(get("/metrics", port=port)[2])
            tap.equal(sample(reported, "iommufd_operations_total", operation="map", result="success"),
                      20, "as an ordinary user it counts the same as root")
            with open("/proc/%d/status" % process.pid, encoding="utf-8") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            two = 1 << 38 | 1 << 39
            tap.equal((int(status["CapEff"], 16), int(status["CapPrm"], 16),
                       int(status["CapAmb"], 16), status["NoNewPrivs"]), (two, two, 0, "1"),
                      "with CAP_PERFMON and CAP_BPF only, permanently")
            process.terminate()
            said = manager.recv(100)
            while said == b"WATCHDOG=1":
                said = manager.recv(100)
            tap.equal((said, process.wait()), (b"STOPPING=1", 0), "and notifies when it ends")


def textfile(tap):
    with tempfile.TemporaryDirectory() as folder:
        # owned by another user: root without its privileges may not write to it
        os.chown(folder, 12345, 12345)
        path = os.path.join(folder, "iommuscope.prom")
        with Observer("export", "--textfile", path) as observer:
            names = os.listdir(folder)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            mode = os.stat(path).st_mode & 0o777
            with socket.socket() as client:
                refused = client.connect_ex(("127.0.0.1", PORT))
        tap.equal((names, oct(mode)), (["iommuscope.prom"], "0o644"),
                  "the textfile exists at once, and no other file")
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                 capture_output=True)
        tap.ok(checked.returncode == 0 and "iommufd_operations_total" in text
               and "iommufd_exporter_http" not in text, "with all metrics but the server's",
               checked.stderr)
        tap.ok(refused, "and without a server")
        tap.equal(os.listdir(folder), [], "it is removed when the exporter ends")
        tap.ok("CAP_DAC_OVERRIDE (to write the textfile)" in observer.stdout,
               "the right to write elsewhere is kept if it is needed", observer.stdout)


def bad_input(tap):
    for words, *arguments in (
            ("is not an address to listen on", "--listen", "9947"),
            ("is not an address to listen on", "--listen", "::1:9947"),
            ("is not an address to listen on", "--listen", "127.0.0.1:99999"),
            ("cannot listen on 192.0.2.1:9947: Cannot assign", "--listen", "192.0.2.1:9947"),
            ("cannot write /no/where.prom: No such file", "--textfile", "/no/where.prom"),
            ("cannot read /no/web.yml: No such file", "--web-config", "/no/web.yml")):
        result = tool("export", *arguments)
        tap.ok(result.returncode == 1 and words in result.stderr
               and result.stderr.count("\n") == 1, "refused: " + " ".join(arguments),
               result.returncode, result.stderr)
    for words, *arguments in (("is not one of device", "--by", "moon"),
                              ("is not a limit", "--limit", "0"),
                              ("is not a limit", "--max-objects", "x"),
                              ("is not a time", "--stuck-after", "0")):
        result = tool("export", *arguments)
        tap.ok(result.returncode == 2 and words in result.stderr, "refused: " + " ".join(arguments),
               result.returncode, result.stderr)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", PORT))
        taken.listen(1)
        result = tool("export")
    tap.ok(result.returncode == 1 and "Address already in use" in result.stderr
           and "--listen" in result.stderr, "a port in use is reported, with the remedy", result.stderr)

    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "web.yml")
        for line, words, text in (
                (2, "is not a bcrypt hash", "basic_auth_users:\n  ann: secret\n"),
                (1, "rate_limit is not supported here", "rate_limit: 1\n"),
                (3, "tls_server_config does not support cipher_suites",
                 "# x\ntls_server_config:\n  cipher_suites: x\n"),
                (2, "cannot read %s/none.crt" % folder,
                 "tls_server_config:\n  cert_file: none.crt\n"),
                (1, "needs a cert_file and a key_file", "tls_server_config: {}\n"),
                (2, "is not a supported version of TLS", "tls_server_config:\n  min_version: SSL3\n"),
                (2, "makes every request slow", "basic_auth_users:\n  ann: %s\n"
                 % HASH.replace("$04$", "$31$")),
                (3, "did not find expected", "basic_auth_users:\n  ann: [x\n"),
                (1, "must have names with values", "- x\n")):
            with open(config, "w", encoding="utf-8") as file:
                file.write(text)
            result = tool("export", "--web-config", config)
            tap.ok(result.returncode == 1 and "%s:%d: " % (config, line) in result.stderr
                   and words in result.stderr and result.stderr.count("\n") == 1,
                   "web configuration: line %d %s" % (line, words), result.stderr)


Tap().run(bad_input, tls, service, textfile, abuse)
