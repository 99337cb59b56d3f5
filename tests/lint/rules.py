"""rules.py - what is allowed, as tables. A new folder, third party or family gets its row here."""

_UNDER_S3 = ["base", "base/http", "storage/kv", "storage/auth", "storage/obj"]

# Product folders, and the folders whose headers they may include besides their own.
ARROWS = {
    "base": [],
    "base/http": ["base"],
    "storage/kv": ["base"],
    "storage/auth": ["base", "base/http", "storage/kv"],
    "storage/obj": ["base", "storage/kv"],
    "storage/backup": ["base", "storage/kv", "storage/obj"],
    "storage/s3": _UNDER_S3 + ["storage/s3/op"],
    "storage/s3/op": _UNDER_S3 + ["storage/s3"],
    "appliance": ["*"],
    "appliance/cmd": ["*"],
}
NOBODY_INCLUDES = ["appliance"]  # but its own files, and tests

# Folders described by the README of the folder above.
README_ABOVE = ["storage/s3/op", "appliance/cmd"]

# Folders below tests/ that have a README.
TEST_FOLDERS = ["api", "bench", "fault", "fuzz", "lint", "unit"]

# Header of a third party -> the files that may include it (a folder ends in "/").
THIRD_PARTIES = {
    "expat.h": ["storage/s3/xml_read.c"],
    "isa-l/": ["base/hash_crc.c"],
    "jansson.h": ["appliance/"],
    "lua": ["functions/lua/"],
    "microhttpd.h": ["base/http/mhd.c"],
    "openssl/": ["base/certificate.c", "base/hash.c"],
    "protobuf-c/": ["storage/kv/proto_arena.h"],
    "rocksdb/": ["storage/kv/rocks_config.h"],
    "seccomp.h": [],
    "sodium.h": ["base/seal.c"],
    "zmq.h": [],
}

# Headers of the C library and of Linux; any other needs a row above.
SYSTEM_HEADERS = (
    "arpa/ linux/ net/ netinet/ sys/ assert.h cpuid.h ctype.h dirent.h errno.h fcntl.h ftw.h "
    "getopt.h ifaddrs.h immintrin.h inttypes.h limits.h malloc.h math.h netdb.h poll.h pthread.h pwd.h "
    "sched.h semaphore.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h "
    "stdio.h stdlib.h stdnoreturn.h string.h strings.h syslog.h termios.h time.h unistd.h "
    "wmmintrin.h"
).split()

# Headers of a few files of their own folder (patterns of file names).
FRIENDS = {
    "base/hash_crc.h": ["hash*.c"],
    "storage/obj/object_edit.h": ["object*.c", "upload*.c", "object_edit.h", "upload_internal.h"],
}

# A public symbol begins with its file's name, as check_names.py reads it, or with one of these.
FAMILIES = {
    "appliance/cmd/ask": ["asker"],
    "base/http/head": ["http_query"],
    "base/http/listen": ["http_address"],
    "storage/backup/copy": ["copier"],
    "storage/kv/commit": ["committer"],
    "storage/obj/object_edit": ["edit"],
    "storage/s3/op/acl": ["get_bucket_acl", "get_object_acl", "put_bucket_acl", "put_object_acl"],
    "storage/s3/op/not_built": ["empty_setting"],
}

# Words that product code does without, and why.
BANNED = {
    "goto": "release by scope",
    "sleep": "wait on an fd or a condition with a deadline",
    "usleep": "wait on an fd or a condition with a deadline",
    "nanosleep": "wait on an fd or a condition with a deadline",
    "strcpy": "unbounded",
    "strcat": "unbounded",
    "sprintf": "unbounded",
    "strtok": "hidden state",
    "alloca": "unbounded stack",
}

FILE_LINES_LISTED, FILE_LINES_MAX = 400, 800
HEADER_LINES_LISTED = 150
FUNCTION_LINES_LISTED, FUNCTION_LINES_MAX = 60, 80
COMPLEXITY_LISTED, COMPLEXITY_MAX = 10, 15
PARAMETERS_LISTED = 6
SHOWN = 10  # of the longest and of the most complex functions
