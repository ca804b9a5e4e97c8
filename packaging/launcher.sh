#!/bin/sh
# Starts Understudy on Linux. Looks first whether this system can: a program that is linked with a newer C library than
# the system's would end with the loader's words alone. The build fills in what stands between @ signs.
needed=@GLIBC@
machine=@MACHINE@
here=$(dirname "$(readlink -f "$0")")

refuse() {
    printf '%s\n  Likely cause: %s\n  What to do: %s\n' "$1" "$2" "$3" >&2
    exit 1
}

if [ "$(uname -m)" != "$machine" ]; then
    refuse "Understudy cannot start on this computer: it is made for $machine, and this one is $(uname -m)." \
        "The download is for another kind of processor." \
        "Get the one for yours, or run Understudy from its source with Python."
fi

# “glibc 2.36”; systems with another C library have neither this name nor those numbers.
found=$(getconf GNU_LIBC_VERSION 2>/dev/null) || found=$(ldd --version 2>&1 | head -n 1)
case $found in
*musl*)
    refuse "Understudy cannot start on this system: it needs glibc $needed or newer, and this system has musl." \
        "The system is Alpine Linux or another with a small C library." \
        "Run Understudy on Debian, Ubuntu, Fedora or another system with glibc."
    ;;
*[0-9].[0-9]*)
    version=${found##* }
    major=${version%%.*} minor=${version#*.}
    minor=${minor%%[!0-9]*}
    if [ "$major" -lt "${needed%%.*}" ] ||
        { [ "$major" -eq "${needed%%.*}" ] && [ "$minor" -lt "${needed#*.}" ]; }; then
        refuse "Understudy cannot start on this system: it needs glibc $needed or newer, and this system has $version." \
            "The system is older than the bundle was made for." \
            "Update the system, or run Understudy from its source with Python."
    fi
    ;;
esac

for part in @PARTS@; do
    if [ ! -r "$here/$part" ]; then
        refuse "Understudy cannot start: $here/$part is missing or cannot be read." \
            "The file was removed, or not everything was unpacked." \
            "Unpack or install Understudy again."
    fi
done
exec "$here/understudy-bin" "$@"
