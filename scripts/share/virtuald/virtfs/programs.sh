# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/programs.sh - a root with only the programs that are asked for.

make_programs() {
  local path target
  step 'programs and libraries'
  printf '%s' "$files" | sort | copy_files
  printf '%s' "$links" | while read -r path target; do
    mkdir -p -- "$root${path%/*}"
    # A library of this name may have been copied for another program.
    [ -e "$root$path" ] || ln -s -- "$target" "$root$path"
  done
  make_name_service
  case $uses in
  */libpam.so.*) make_pam ;;
  esac
  case $uses in
  */libtinfo* | */libncurses* | */libcurses*) make_terminfo ;;
  esac
  case $names in
  */perl"$newline"*) make_perl ;;
  esac
  case $names in
  */python3*) make_python ;;
  esac
  make_homes
  make_packages
  make_cache
}

# make_name_service: copies the C library's own name services, which versions before 2.34
# load at run time.
make_name_service() {
  local libc library
  for libc in $uses; do
    case $libc in
    */libc.so.6)
      for library in files dns; do
        library=${libc%/*}/libnss_$library.so.2
        if [ -f "$library" ]; then
          printf '%s\n' "$library"
        fi
      done | copy_files
      ;;
    esac
  done
}

# make_homes: makes the home of each account that has the name of a program.
make_homes() {
  local directory
  printf '%s' "$names" | awk -F: '
    NR == FNR { sub(/.*\//, ""); program[$0]; next }
    $1 in program && $6 ~ /^\/var\// { print $6 }' - "$root/etc/passwd" | while IFS= read -r directory; do
    make_home "$directory"
  done
}

# make_home DIRECTORY: makes an empty directory with the owner and mode that it has on the
# host.
make_home() {
  local places
  [ -d "$1" ] || return 0
  places=$(stat -Lc '%a %u:%g %n' -- "$1" | no_persons)
  make_places
}

# make_cache: makes the loader's cache if a library is in a directory that the loader does
# not search by itself.
make_cache() {
  local libc library
  for libc in $uses; do
    case $libc in
    */libc.so.*) break ;;
    esac
  done
  for library in $uses; do
    case ${library%/*} in
    /lib | /usr/lib | /lib64 | /usr/lib64 | "${libc%/*}") ;;
    *)
      write_cache
      return
      ;;
    esac
  done
}

write_cache() {
  local file ldconfig
  ldconfig=$(find_program ldconfig 2>/dev/null) || return 0
  copy_plain_etc ld.so.conf
  for file in /etc/ld.so.conf.d/*.conf; do
    [ ! -f "$file" ] || copy_plain_etc "ld.so.conf.d/${file##*/}"
  done
  if "$draft"; then
    : >"$root/etc/ld.so.cache"
  else
    # The links to libraries were copied from the host.
    "$ldconfig" -X -r "$root" 2>/dev/null || warn "$root: ldconfig failed there"
  fi
  # ldconfig's own cache there would differ in each root.
  rm -rf -- "$root/var/cache/ldconfig"
}
