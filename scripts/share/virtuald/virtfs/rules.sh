# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/rules.sh - what programs need while they run, which no loader lists: what
# they start, load and read.

# The rules, a line for each: the path of a program, or of a library that it is
# linked with; how it comes by what follows; and what that is:
#   starts   programs of the host
#   loads    libraries in the same directory, or below it
#   reads    files of /etc that everybody may read
# What the host lacks is left out, as programs do without on the host, too.
#
# adduser and deluser are scripts around the programs of passwd. libc loads
# libgcc_s when a thread is cancelled, and aborts without it. OpenSSL loads its
# providers and engines by name, and both TLS libraries read the authorities.
run_time_rules='
*/adduser          starts  useradd groupadd usermod gpasswd chfn chage passwd userdel groupdel find rm
*/deluser          starts  userdel groupdel gpasswd crontab find rm
*/libc.so.6        loads   libgcc_s.so.1
*/libcrypto.so.3   loads   ossl-modules/*.so engines-3/*.so
*/libcrypto.so.3   reads   /etc/ssl/openssl.cnf
*/libssl.so.*      reads   /etc/ssl/certs/ca-certificates.crt
*/libgnutls.so.*   reads   /etc/ssl/certs/ca-certificates.crt
*/libcurl*.so.*    reads   /etc/ssl/certs/ca-certificates.crt
'

# rules_of PATH HOW: prints what the rules say that a program or library with that
# path starts, loads or reads, in words.
rules_of() {
  local path how what
  while read -r path how what; do
    # A pattern.
    # shellcheck disable=SC2254
    case $1 in
    $path) [ "$how" != "$2" ] || printf '%s\n' "$what" ;;
    esac
  done <<END
$run_time_rules
END
}

# add_started PROGRAM: adds what it starts to queue.
add_started() {
  local name path
  for name in $(rules_of "$1" starts); do
    path=$(find_program "$name" 2>/dev/null) || continue
    queue=$queue$path$newline
  done
}

# add_loaded: adds what the libraries in uses load to files.
add_loaded() {
  local library pattern path
  for library in $uses; do
    # Patterns of files.
    set -f
    # shellcheck disable=SC2046
    set -- $(rules_of "$library" loads)
    set +f
    for pattern in "$@"; do
      for path in "${library%/*}/"$pattern; do
        case $newline$files in
        *"$newline$path$newline"*) ;;
        *) [ ! -f "$path" ] || files=$files$path$newline ;;
        esac
      done
    done
  done
}

# copy_read: copies what the libraries in uses read.
copy_read() {
  local library
  set --
  for library in $uses; do
    # shellcheck disable=SC2046 # paths without spaces
    set -- "$@" $(rules_of "$library" reads)
  done
  [ $# -eq 0 ] || everybodys "$@" | sort -u | copy_missing
}

# make_python: the library of each python, but not what the site put in /usr/local,
# and the libraries that its modules are linked with. It adds these to uses.
make_python() {
  local program directory path needed='' files='' uses_before="$uses"
  step 'the library of python'
  for program in $names; do
    case ${program##*/} in
    python3 | python3.*[0-9]) ;;
    *) continue ;;
    esac
    while IFS= read -r directory; do
      case $directory in
      /usr/local/*) continue ;;
      /usr/*) [ -d "$directory" ] || continue ;;
      *) continue ;;
      esac
      directory=$(canonical "$directory")
      [ -e "$root$directory/os.py" ] || copy_tree "$directory"
      for path in "$directory"/*.so; do
        [ ! -f "$path" ] || list_libraries "$path" || :
      done
    done <<END
$("$program" -I -c 'import sys; print("\n".join(sys.path))')
END
  done
  add_libraries
  printf '%s' "$files" | sort -u | copy_missing
  uses=$uses_before$newline$uses
}
