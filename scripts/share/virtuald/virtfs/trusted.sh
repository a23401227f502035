# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/trusted.sh - which files of the host may be copied: those that only root can change.

# refuse_untrusted FILES EXCEPTION: dies if anyone but root can change one of the files. Whoever can change a program
# or a library of the host could have it do anything in the domain; not even the loader should read such a file here.
# EXCEPTION is a function that is true for files that may be copied all the same.
refuse_untrusted() {
  local untrusted file
  untrusted=$(printf '%s' "$1" | tr '\n' '\0' | xargs -0 -r sh -c '
    find -L "$@" -prune \( ! -user root -o -perm -0020 -o -perm -0002 \)' sh)
  while [ -n "$untrusted" ]; do
    file=${untrusted%%"$newline"*}
    "$2" "$file" || die "$file: must be owned by root and not writable by anyone else"
    untrusted=${untrusted#"$file"}
    untrusted=${untrusted#"$newline"}
  done
}

# is_of_account FILE: true if the file is a program that only one account of the system can change, as uucp can
# change uucico. Through it, that account could do no more in the domain than on the host. It adds the program to owned.
is_of_account() {
  local file="$1"
  # shellcheck disable=SC2046 # two words
  set -- $(stat -Lc '%u %a' -- "$1")
  case $2 in
  *[2367] | *[2367]?) return 1 ;;
  esac
  [ "$1" -lt 1000 ] && ! is_library "$file" && grep -q "^[^:]*:[^:]*:$1:" /etc/passwd || return 1
  owned=$owned$file' '$1$newline
}

# is_known FILE: true if the file is in owned.
is_known() {
  case $owned in
  *"$newline$1 "*) ;;
  *) return 1 ;;
  esac
}
