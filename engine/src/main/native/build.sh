#!/bin/sh
# Compiles the kernel library:  build.sh OUTPUT_FOLDER [TEST_SOURCE TEST_PROGRAM]
#
# With the last two it also compiles a program of the library's sources and TEST_SOURCE, with address and undefined
# behaviour checked, where the compiler can. Does nothing where what it would write is newer than the sources. Without a
# C compiler, with one that fails, or on another system than Linux and macOS, it says so and succeeds: the library is optional,
# and a test fails where there should be one.
set -eu

sources=$(cd "$(dirname "$0")" && pwd)
output=$1
test_source=${2:-}
test_program=${3:-}

say() { printf 'kernels: %s\n' "$*"; }

case $(uname -s) in
  Linux) system=linux library=libmeridian_kernels.so ;;
  Darwin) system=macos library=libmeridian_kernels.dylib ;;
  *) say "not built, $(uname -s) is not supported"; exit 0 ;;
esac
case $(uname -m) in
  x86_64 | amd64) machine=x86_64 ;;
  aarch64 | arm64) machine=aarch64 ;;
  *) say "not built, $(uname -m) is not supported"; exit 0 ;;
esac
compiler=
for name in ${CC:-} cc gcc clang; do
  if command -v "$name" >/dev/null 2>&1; then compiler=$name; break; fi
done
[ -n "$compiler" ] || { say "not built, there is no C compiler (CC, cc, gcc or clang)"; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Whether the compiler takes these flags, and its linker as well.
takes() {
  printf 'int main(void) { return 0; }\n' >"$work/probe.c"
  "$compiler" "$@" -o "$work/probe" "$work/probe.c" >/dev/null 2>&1
}

# macOS's own stub asks for the developer tools instead of compiling.
takes -std=c11 || { say "not built, $compiler cannot compile a program"; exit 0; }

flags='-std=c11 -D_GNU_SOURCE -Wall -Wextra -ffp-contract=off -fno-fast-math -fvisibility=hidden -fPIC'
common='paths weights scratch compute attention cache exports ort_values ort_ops ort_attention ort_register
  path_portable attend_portable'
vnni=
if [ "$machine" = x86_64 ] && takes -mavxvnni; then vnni=-DMERIDIAN_AVX_VNNI; fi

# Compiles all sources into $1 with the further flags. In a condition "set -e" is off, so each failure is passed on.
compile() {
  objects=$1
  shift
  mkdir -p "$objects"
  for source in $common; do
    "$compiler" $flags $vnni "$@" -c -o "$objects/$source.o" "$sources/$source.c" || return 1
  done
  if [ "$machine" = aarch64 ]; then
    "$compiler" $flags "$@" -march=armv8.2-a+dotprod -c -o "$objects/neon.o" "$sources/path_neon.c" || return 1
    "$compiler" $flags "$@" -c -o "$objects/attend_neon.o" "$sources/attend_neon.c"
    return $?
  fi
  avx2='-mavx2 -mfma -mf16c'
  "$compiler" $flags $vnni "$@" $avx2 -c -o "$objects/avx2.o" "$sources/path_avx2.c" || return 1
  "$compiler" $flags $vnni "$@" $avx2 -c -o "$objects/attend_avx2.o" "$sources/attend_avx2.c" || return 1
  [ -z "$vnni" ] || "$compiler" $flags $vnni "$@" $avx2 -mavxvnni -DMERIDIAN_PATH_AVX_VNNI \
    -c -o "$objects/avxvnni.o" "$sources/path_avx2.c" || return 1
  avx512="$avx2 -mavx512f -mavx512bw -mavx512vl -mavx512vnni"
  "$compiler" $flags $vnni "$@" $avx512 -c -o "$objects/attend_avx512.o" "$sources/attend_avx512.c" || return 1
  "$compiler" $flags $vnni "$@" $avx512 -c -o "$objects/avx512vnni.o" "$sources/path_avx512vnni.c"
}

# Whether $1 is newer than all sources and than $2.
current() {
  [ -f "$1" ] && [ -z "$(find "$sources" ${2:+"$2"} -type f -newer "$1")" ]
}

# Moved to its place at once, so that no process ever sees half of it.
publish() {
  mkdir -p "$(dirname "$2")"
  mv "$1" "$2.new"
  mv "$2.new" "$2"
}

target=$output/$system-$machine/$library
if ! current "$target" ''; then
  if ! { compile "$work/library" -O3 && "$compiler" -shared -o "$work/$library" "$work"/library/*.o -lm -lpthread; }; then
    say "not built, $compiler failed"
    exit 0
  fi
  publish "$work/$library" "$target"
  say "built $library for $system-$machine"
fi

if [ -n "$test_source" ] && ! current "$test_program" "$test_source"; then
  sanitize='-fsanitize=address,undefined -fno-sanitize-recover=all'
  if ! takes $sanitize; then say "no sanitizer test, $compiler lacks the sanitizers"; exit 0; fi
  compile "$work/test" -O1 -g1 $sanitize || exit 1
  "$compiler" $flags -O1 -g1 $sanitize "-I$sources" -o "$work/program" "$test_source" "$work"/test/*.o -lm -lpthread
  publish "$work/program" "$test_program"
  say "built the sanitizer test"
fi
