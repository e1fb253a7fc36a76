#!/bin/sh
# Builds every program of the workspace with the one profile that the demo and the tests share, and checks first what the
# build needs. The last line on stdout is the folder of the programs; everything else goes to stderr.
set -eu
cd "$(dirname "$0")/.."

need() {
    command -v "$1" >/dev/null 2>&1 || { echo "$2" >&2; exit 1; }
}

need cargo "cargo is missing: install Rust as https://rustup.rs says, open a new terminal and run this again."
compiler=${CXX:-c++}
need "${compiler%% *}" "A C++ compiler is missing: install one and run this again (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; Arch: pacman -S gcc; macOS: xcode-select --install)."

path=$(scripts/libclang.sh)
if [ -n "$path" ]; then
    LIBCLANG_PATH=$path
    export LIBCLANG_PATH
    echo "libclang: LIBCLANG_PATH=$path (set it for your own cargo commands too, so that RocksDB is not compiled again)" >&2
fi

# Cargo knows where it builds, whatever sets it (environment, configuration files).
metadata=$(cargo metadata --no-deps --format-version 1 --locked)
folder_of() {
    printf '%s' "$metadata" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}
programs=$(folder_of target_directory)/debug
build=$(folder_of build_directory)
[ -n "$build" ] || build=$(folder_of target_directory)

# Says what the long part of a first build does, and only while it is done: object files newer than `started` are the sign.
started=$(mktemp)
objects() {
    find "$build"/debug/build/librocksdb-sys-*/out -name '*.o' -newer "$started" 2>/dev/null | wc -l | tr -d ' '
}
watch_rocksdb() {
    said=0
    while sleep 3; do
        count=$(objects)
        if [ "$count" -gt 0 ] && [ "$said" = 0 ]; then
            printf '\n%s\n' "Compiling RocksDB's C++ once, about 15 minutes on 2 cores; later builds take seconds." >&2
            said=$count
        elif [ "$count" -ge $((said + 60)) ] && [ "$said" != 0 ]; then
            printf '\n%s\n' "RocksDB: $count of about 340 files compiled." >&2
            said=$count
        fi
    done
}
watch_rocksdb >/dev/null &
watcher=$!
trap 'kill "$watcher" 2>/dev/null; rm -f "$started"' EXIT
trap 'exit 130' INT TERM

cargo build --workspace --bins --locked >&2
echo "$programs"
