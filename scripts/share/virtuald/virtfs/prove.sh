# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/prove.sh - the last steps of making a root: it is made safe, and its programs are tried.

# secure: separates files that the domain could change from the host's, lets only root write to the files and
# directories that programs are loaded from, and drops all set-user-ID and set-group-ID bits that are not needed.
secure() {
  local system='etc dev usr' top kept='' file
  cd -- "$root"
  [ -z "$link" ] || separate_unsafe
  for top in $tops; do
    case $merged in
    *" $top "*) ;;
    *) system="$system $top" ;;
    esac
  done
  chmod 0755 . usr/bin usr/sbin usr/lib
  # All of them are plain names.
  # shellcheck disable=SC2086
  {
    "$draft" || {
      chown root:root . $system
      find $system ! -user root ! -perm -4000 ! -perm -2000 -exec chown -h root {} +
    }
    chmod 0755 $system
    find $system ! -type l ! -type c \( -perm -0020 -o -perm -0002 \) -exec chmod go-w {} +
  }
  find . -type f \( -perm -4000 -o -perm -2000 \) | sort >"$work/setid"
  while IFS= read -r file; do
    if keeps_setid "${file#.}"; then
      kept="$kept ${file#.}"
    else
      chmod u-s,g-s -- "$file"
    fi
  done <"$work/setid"
  cd /
  [ -z "$kept" ] || say "Kept set-user-id or set-group-id:$kept"
}

# separate_unsafe: gives the root its own copy of each hard-linked file that root does not own, that others can write,
# or that has a set-user-ID bit, a set-group-ID bit or capabilities.
separate_unsafe() {
  local file getcap
  find . -type f -links +1 \( ! -user root -o -perm -4000 -o -perm -2000 -o -perm -0020 -o -perm -0002 \) \
    >"$work/unsafe"
  if getcap=$(find_program getcap 2>/dev/null); then
    "$getcap" -r . 2>/dev/null | sed 's/ [^ ]*$//; s/ =$//' >>"$work/unsafe"
  fi
  while IFS= read -r file; do
    cp -p -- "$file" "$work/copy" || failed "$file"
    mv -f -- "$work/copy" "$file"
  done <"$work/unsafe"
}

# keeps_setid PATH: true for programs that were asked for, for those that the users of a whole root need, and for
# unix_chkpwd, with whose bit daemons that are not root check passwords.
keeps_setid() {
  case $1 in
  */sbin/unix_chkpwd) return 0 ;;
  esac
  if [ -n "$asked" ]; then
    case $newline$files in
    *"$newline$1$newline"*) return 0 ;;
    esac
    return 1
  fi
  case $1 in
  */bin/su | */bin/passwd | */sendmail/sendmail | */sbin/sendmail) return 0 ;;
  esac
  return 1
}

# prove: asks virtuald whether every program would start in the root, and passes on what it finds.
prove() {
  local name
  if [ -z "$virtuald" ]; then
    warn 'virtuald: not found: the programs of the root were not tried'
    return
  fi
  say 'Try the programs'
  printf 'default %s\n' "$root" >"$work/conf"
  if [ -n "$asked" ]; then
    printf '%s' "${names#"$newline"}"
  else
    cd -- "$root"
    find bin sbin usr/bin usr/sbin -type f -perm -0100 | sed 's,^,/,'
    cd /
  fi | while IFS= read -r name; do
    ! is_library "$name" || continue
    starts "$name" || {
      [ -z "$asked" ] && mend "$name" && starts "$name"
    } || :
    say_verdict
  done
}

# starts NAME: true if the program would start in the root. It writes the messages of virtuald to the file verdict.
starts() {
  "$virtuald" -w -t "$work/conf" "$1" >"$work/verdict" 2>&1
}

# mend NAME: in a whole root, copies libraries that the program needs from a directory that was not copied.
mend() {
  local needed='' files='' link='' of_origin='' uses loader_user="$outsider"
  list_libraries "$1" || return 1
  add_libraries
  printf '%s' "$files" | copy_missing
  name_origins
  write_cache
}

# say_verdict: passes on the errors in the file verdict, and in a root of the programs asked for, what they lack. Paths
# in the hidden directory become those that the root will have. The advice to add what is lacking is left out: virtfs
# has already added all that it can.
say_verdict() {
  local line
  while IFS= read -r line; do
    case $line in
    "$work/conf:1: "*) line=${line#"$work/conf:1: "} ;;
    *) continue ;;
    esac
    case $asked$line in
    ?*'warning: /'*" in $root lacks "*) line=${line#warning: } line=${line%; virtfs -u -p *} ;;
    esac
    case $line in
    warning*) ;;
    *"$root"*) warn "${line%%"$root"*}$place${line#*"$root"}" ;;
    *) warn "$line" ;;
    esac
  done <"$work/verdict"
}
