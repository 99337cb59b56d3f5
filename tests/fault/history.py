"""Whether a history of one key is linearizable: is there one order of its operations, each between
its call and its return, in which every answer is right?

Wing and Gong's search, forwards in time: when an operation returns it must have taken effect. What
is kept is every state that the answers so far allow, each with the pending operations that have
taken effect in it. What changes nothing takes effect as soon as its answer fits: that closes no way
for the others. Written values are unique, so one that is overwritten never comes back: a way that
overwrites what is still to be read is given up at once, and few are left at any time.

A write whose answer did not come may have taken effect or not, until `end`: for a server that was
killed that is the moment when it was dead, since a process that is gone writes nothing.
"""
from collections import namedtuple

# start, end   monotonic ns of call and return
# allows       function of the state: could the answer have been given in it
# effect       the state afterwards; KEEP: as before
# answered     False: may never have taken effect
# sees         the one value that a read returned; None: nothing, or one of several
KEEP = object()
FIELDS = "start end allows effect answered what sees"


class Operation(namedtuple("Operation", FIELDS, defaults=[None])):
    def __str__(self):
        return f"{self.start / 1e6:.3f} … {self.end / 1e6:.3f} ms  {self.what}"


class NotLinearizable(Exception):
    pass


class Search:
    def __init__(self, operations, initial):
        self.operations = operations
        self.ways = {(state, frozenset()) for state in initial}
        self.reads, self.writes = set(), set()  # pending
        self.now = 0
        self.last_read = {}  # value -> when its last read is called
        for each in operations:
            if each.sees is not None:
                self.last_read[each.sees] = max(each.start, self.last_read.get(each.sees, 0))

    def with_reads(self, state, done):
        return state, done | {each for each in self.reads if self.operations[each].allows(state)}

    def call(self, index):
        if self.operations[index].effect is not KEEP:
            self.writes.add(index)
            return
        self.reads.add(index)
        self.ways = {self.with_reads(state, done) for state, done in self.ways}

    def spread(self, ways):
        """All that can be reached when pending writes take effect, in any order."""
        reached, todo = set(ways), list(ways)
        while todo:
            state, done = todo.pop()
            if self.last_read.get(state, 0) > self.now:
                continue
            for index in self.writes - done:
                if not self.operations[index].allows(state):
                    continue
                after = self.with_reads(self.operations[index].effect, done | {index})
                if after not in reached:
                    reached.add(after)
                    todo.append(after)
        return reached

    def take_back(self, index):
        """The operation returns: it has taken effect, or has no answer and has not."""
        kept = {way for way in self.ways if index in way[1]}
        if len(kept) < len(self.ways):
            rest = self.ways - kept
            kept |= rest if not self.operations[index].answered else set()
            kept |= {way for way in self.spread(rest) if index in way[1]}
        if not kept:
            raise NotLinearizable(self.explain(index))
        self.reads.discard(index)
        self.writes.discard(index)
        self.ways = {(state, done - {index}) for state, done in kept}

    def explain(self, index):
        last = self.operations[index]
        before = sorted((each for each in self.operations if each.end <= last.end),
                        key=lambda each: each.end)[-16:]
        pending = sorted(self.reads | self.writes)
        return "\n".join([f"no order explains: {last}", "pending then:",
                          *(f"  {self.operations[each]}" for each in pending),
                          "returned before:", *(f"  {each}" for each in before)])


def check(operations, initial=(None,)):
    """operations: of one key. Returns the states it may end in; raises NotLinearizable."""
    operations = [each for each in operations if each.answered or each.effect is not KEEP]
    events = sorted([(each.start, 0, index) for index, each in enumerate(operations)]
                    + [(each.end, 1, index) for index, each in enumerate(operations)])
    search = Search(operations, initial)
    for search.now, is_return, index in events:
        search.take_back(index) if is_return else search.call(index)
    return {state for state, _ in search.ways}
