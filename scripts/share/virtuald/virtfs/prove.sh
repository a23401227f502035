# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/prove.sh - a root that is whole: made safe, and its programs tried.

# secure: nothing in the root shares an inode with the host that could be
# changed from within, nobody but root may write what programs are loaded
# from, and no set-id bit is left but those asked for.
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
  # Names of directories that this script has made.
  # shellcheck disable=SC2086
  {
    chown root:root . $system
    chmod 0755 $system
    find $system ! -user root ! -perm -4000 ! -perm -2000 -exec chown -h root {} +
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

# separate_unsafe: gives the root its own copy of each hard-linked file that
# is not root's, that others may write, or that is set-id.
separate_unsafe() {
  local file
  find . -type f -links +1 \( ! -user root -o -perm -4000 -o -perm -2000 -o -perm -0020 -o -perm -0002 \) \
    >"$work/unsafe"
  if command -v getcap >/dev/null; then
    getcap -r . 2>/dev/null | sed 's/ [^ ]*$//; s/ =$//' >>"$work/unsafe"
  fi
  while IFS= read -r file; do
    cp -p -- "$file" "$work/copy" || failed "$file"
    mv -f -- "$work/copy" "$file"
  done <"$work/unsafe"
}

# keeps_setid PATH: true for a program that was asked for, and in a whole
# root for those that its users cannot do without. A daemon that is not root
# checks passwords by the set-group-id of unix_chkpwd alone.
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

# prove: has virtuald say of every program whether it would start in the root.
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
    is_library "$name" || starts "$name" || {
      [ -z "$asked" ] && mend "$name" && starts "$name"
    } || say_verdict
  done
}

# starts NAME: true where the program would start in the root.
starts() {
  "$virtuald" -w -t "$work/conf" "$1" >"$work/verdict" 2>&1
}

# mend NAME: in a whole root, fetches the libraries that the program finds on
# the host in a directory of its own.
mend() {
  local needed='' files='' link='' of_origin='' uses loader_user="$outsider"
  list_libraries "$1" || return 1
  add_libraries
  printf '%s' "$files" | copy_missing
  name_origins
  write_cache
}

# say_verdict: passes on what virtuald found wrong, of the place that the root
# is about to have.
say_verdict() {
  local line
  while IFS= read -r line; do
    case $line in
    "$work/conf:1: "*) line=${line#"$work/conf:1: "} ;;
    *) continue ;;
    esac
    case $line in
    warning*) ;;
    *"$root"*) warn "${line%%"$root"*}$place${line#*"$root"}" ;;
    *) warn "$line" ;;
    esac
  done <"$work/verdict"
}
