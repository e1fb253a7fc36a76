#!/bin/sh
# Makes sure that libclang is there, which RocksDB's bindings are generated with.
#
# Looks for a libclang that has its builtin headers (stddef.h and others) beside it; installs both with apt where that is
# possible without a question; says in one sentence what to install everywhere else.
# Prints the folder for LIBCLANG_PATH if that must be set, and nothing if the build finds libclang by itself. An
# unneeded LIBCLANG_PATH would do harm: cargo would compile RocksDB again whenever it comes or goes.
#
# LIBCLANG_SEARCH (folders, separated by spaces) replaces the places looked at, and LIBCLANG_INSTALL=no keeps apt out.
set -u

# Where the build (crate clang-sys) looks by itself, besides `llvm-config --prefix`.
own_places() {
    for folder in /usr/lib/llvm-*/lib /usr/lib64/llvm*/lib* /usr/lib/*-linux-* /usr/lib64 /usr/lib /usr/local/lib* \
        /usr/local/llvm*/lib /Library/Developer/CommandLineTools/usr/lib \
        /Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib \
        /usr/local/opt/llvm*/lib; do
        [ -d "$folder" ] && echo "$folder"
    done
    for tool in ${LLVM_CONFIG_PATH:-} llvm-config; do
        prefix=$("$tool" --prefix 2>/dev/null) && echo "$prefix/lib" && echo "$prefix/lib64"
    done
}

# Where libclang may lie besides, so that the build must be told.
other_places() {
    ldconfig -p 2>/dev/null | sed -n 's|.*libclang[-.][^/]*=> \(/.*\)/libclang[^/]*$|\1|p'
    ls -d /opt/homebrew/opt/llvm*/lib /opt/llvm*/lib /opt/rocm/llvm/lib "$HOME"/.nix-profile/lib 2>/dev/null
    command -v brew >/dev/null 2>&1 && echo "$(brew --prefix llvm 2>/dev/null)/lib"
}

# The libclang libraries in folder $1, newest name last.
libraries_in() {
    for library in "$1"/libclang.so "$1"/libclang.so.* "$1"/libclang-[0-9]*.so "$1"/libclang-[0-9]*.so.* "$1"/libclang.dylib; do
        [ -e "$library" ] && echo "$library"
    done
}

# Whether library $1 has its builtin headers: beside itself, beside the file that it links to, or where Debian keeps them.
has_headers() {
    link=$(dirname "$1")
    real=$(readlink -f "$1" 2>/dev/null || echo "$1")
    file=$(dirname "$real")
    major=$(basename "$real" | sed -n 's/^libclang[-.][a-z.]*\([0-9][0-9]*\).*/\1/p')
    for header in "$link"/clang/*/include/stddef.h "$link"/../lib/clang/*/include/stddef.h \
        "$file"/clang/*/include/stddef.h "$file"/../lib/clang/*/include/stddef.h \
        "/usr/lib/llvm-$major"/lib/clang/*/include/stddef.h; do
        [ -e "$header" ] && return 0
    done
    return 1
}

# The first folder of stdin that holds a libclang with its headers.
first_usable() {
    while read -r folder; do
        for library in $(libraries_in "$folder"); do
            has_headers "$library" && echo "$folder" && return 0
        done
    done
    return 1
}

# Prints what LIBCLANG_PATH must be (nothing if it need not be set), or fails.
find_libclang() {
    if [ -n "${LIBCLANG_PATH:-}" ]; then
        # The user has decided: a folder or the library itself. The variable stays as it is.
        [ -d "$LIBCLANG_PATH" ] && folder=$LIBCLANG_PATH || folder=$(dirname "$LIBCLANG_PATH")
        echo "$folder" | first_usable >/dev/null && return 0
        echo "LIBCLANG_PATH is $LIBCLANG_PATH, which holds no libclang with its headers; looking elsewhere." >&2
    fi
    if [ -n "${LIBCLANG_SEARCH+set}" ]; then
        for folder in $LIBCLANG_SEARCH; do echo "$folder"; done | first_usable
        return
    fi
    own_places | first_usable >/dev/null && return 0
    other_places | first_usable
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    [ "${LIBCLANG_INSTALL:-yes}" = yes ] || return 1
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; }
}

# The version of libclang to install: the distribution's own choice, else the newest that it has.
apt_version() {
    version=$(apt-cache depends libclang1 2>/dev/null | sed -n 's/.*Depends: libclang1-\([0-9]*\)$/\1/p' | head -n 1)
    [ -n "$version" ] || version=$(apt-cache search --names-only '^libclang-common-[0-9]+-dev$' 2>/dev/null |
        sed 's/^libclang-common-\([0-9]*\)-dev.*/\1/' | sort -n | tail -n 1)
    echo "$version"
}

install_libclang() {
    echo "Installing libclang with apt: RocksDB's bindings are generated with it." >&2
    # A stale package list is worth a try: the install says what is wrong, if anything is.
    as_root apt-get update -qq >&2 || true
    version=$(apt_version)
    [ -n "$version" ] || return 1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "libclang1-$version" "libclang-common-$version-dev" >&2
}

if find_libclang; then
    exit 0
fi
if may_install && install_libclang && find_libclang; then
    exit 0
fi
echo "libclang with its headers is missing, which RocksDB's bindings need: install it and run this again" \
    "(Debian, Ubuntu: apt install libclang-dev; Fedora: dnf install clang-devel; Arch: pacman -S clang;" \
    "macOS: xcode-select --install)." >&2
exit 1
