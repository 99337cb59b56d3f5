"""Reads a trace of strace and tells whether every write was synced before it was acknowledged.

    1231 1795.10 recvfrom(22<socket:…>, "PUT /b/k HTTP/1.1…     the request begins
    1231 1795.20 fdatasync(9<…/bodies/00000001.seg>) = 0 <…>    its body, if it is large
    1230 1795.30 fdatasync(13<…/kv/000019.log>) = 0 <…>         the commit, begun after the body's
    1231 1795.40 sendto(22<socket:…>, "HTTP/1.1 200 OK…         the answer, after that has ended
"""
import re
from collections import namedtuple

OPTIONS = ("-ttt", "-T", "-y", "-s", "64", "-e", "trace=fdatasync,recvfrom,sendto,sendmsg")
LINE = re.compile(r"(\d+) +(\d+\.\d+) (?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)")
RESULT = re.compile(r"\) += (-?\d+).*?(?: <(\d+\.\d+)>)?$")
WRITES = ("PUT", "POST", "DELETE")

Call = namedtuple("Call", "thread name begin end text result")  # times: seconds; result: None = cut off
Acknowledged = namedtuple("Acknowledged", "target begin answered")


def calls_of(lines):
    """The calls in the order in which they began, each put together where others came between."""
    calls, open_calls = [], {}
    for line in lines:
        found = LINE.match(line)
        if not found:
            continue
        thread, at, resumed, name, rest = found.groups()
        at = float(at)
        if resumed:
            place = open_calls.pop((thread, resumed), None)
            if place is None:
                continue
            calls[place] = finish(calls[place], rest, at)
        elif rest.endswith("<unfinished ...>"):
            open_calls[thread, name] = len(calls)
            calls.append(Call(thread, name, at, None, rest, None))
        else:
            call = Call(thread, name, at, None, "", None)
            calls.append(finish(call, rest, None))
    return calls


def finish(call, rest, end):
    found = RESULT.search(rest)
    if found and end is None:
        end = call.begin + float(found.group(2) or 0)
    return call._replace(text=call.text + rest, end=end, result=int(found.group(1)) if found else None)


def acknowledged(calls):
    """Writes with a 2xx answer: what was asked for, when it began to come in, when it was answered."""
    asked, found = {}, []
    for call in calls:
        quoted = call.text.partition('"')[2]
        if call.name == "recvfrom" and call.thread not in asked and quoted and call.result != 0:
            asked[call.thread] = call.begin, quoted.split(" HTTP/")[0]
        elif call.name in ("sendto", "sendmsg") and quoted.startswith("HTTP/1.1 "):
            begin, target = asked.pop(call.thread, (None, ""))
            if begin and target.startswith(WRITES) and quoted[9] == "2":
                found.append(Acknowledged(target, begin, call.begin))
    return found


def syncs(calls, pattern):
    return [call for call in calls
            if call.name == "fdatasync" and call.result == 0 and re.search(pattern, call.text)]


def unsynced(calls, is_large=lambda target: False):
    """The acknowledged writes without a successful sync of the log between request and answer, for
    large bodies one of a segment and then one of the log."""
    logs, segments = syncs(calls, r"/kv/\d+\.log>"), syncs(calls, r"/bodies/\w+\.seg>")
    wrong = []
    for write in acknowledged(calls):
        since = write.begin
        if is_large(write.target):
            since = min((call.end for call in segments if call.begin >= write.begin), default=float("inf"))
        if not any(call.begin >= since and call.end <= write.answered for call in logs):
            wrong.append(write)
    return wrong
