# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/draft.sh - virtfs -n: lists what the root of a new domain would contain.
#
# A draft of the root is made in a private directory, by the same functions that make a
# root, and listed. It lacks devices and owners, and the host's files outside of /etc are
# empty in it, so that any user can make it quickly. Its programs are not checked.

# say_draft: prints a line for each object that would be made. Sets draft, and work for
# clean_up, and TMPDIR.
say_draft() {
  local root address config
  [ "$(id -u)" -ne 0 ] || [ -n "$outsider" ] || find_outsider
  trap clean_up EXIT
  trap 'exit 1' HUP INT PIPE TERM
  # In a directory of another user, that user could replace the draft with a link to the host's files.
  case $(id -u):${TMPDIR-} in
  0:* | *:[!/]*) TMPDIR=/tmp ;;
  esac
  work=$(mktemp -d) || die 'no temporary directory for the draft'
  draft=true
  root=$work/root
  mkdir -- "$root"
  printf '' >"$work/owners"
  make_draft
  "$quiet" && return
  printf 'domain %s\n' "$place"
  list_draft | sort
  printf '%s' "$pairs" | while read -r address config; do
    printf 'line %s %s %s\n' "$config" "$address" "$place"
  done
}

# make_draft: makes the draft. Its range of numbers does not matter, and is not printed.
make_draft() {
  local quiet=true numbers=1000:1000 clone='' link=''
  find_owners
  build
  make_own_terminal
  [ -n "$asked" ] || draft_mended
}

# draft_mended: adds the libraries that mend would add to a whole root, for all programs at
# once.
draft_mended() {
  local needed='' files='' of_origin='' uses loader_user="$outsider" name
  "$find" "$root/bin" "$root/sbin" "$root/usr/bin" "$root/usr/sbin" -type f -perm -0100 >"$work/programs"
  while IFS= read -r name; do
    list_libraries "${name#"$root"}" || :
  done <"$work/programs"
  add_libraries
  printf '%s' "$files" | copy_missing
  name_origins
}

# list_draft: prints a line for each object in the draft.
list_draft() {
  {
    sed 's/^/owner /' "$work/owners"
    cd -- "$root"
    "$find" . -type d -printf 'dir %m %p\n' -o -type l -printf 'link %p -> %l\n' -o -perm -4000 -printf 'setid %p\n' -o \
      -perm -2000 -printf 'setid %p\n' -o -printf 'copy %p\n'
    [ ! -S "$VIRTUAL/log" ] || printf 'log ./dev/log\n'
  } | own_etc="$own_etc" awk '
    # Returns "USER:GROUP" with numbers for the names in it.
    function numbers_of(owner,   part) {
      split(owner, part, ":")
      return (part[1] in user ? user[part[1]] : part[1]) ":" (part[2] in group ? group[part[2]] : part[2])
    }
    BEGIN { own_etc = ENVIRON["own_etc"] }
    FILENAME == "/etc/passwd" || FILENAME == "/etc/group" {
      split($0, part, ":")
      if (FILENAME == "/etc/passwd") user[part[1]] = part[3]
      else group[part[1]] = part[3]
      next
    }
    $1 == "owner" { path = $0; sub(/^owner [^ ]* /, "", path); owner[path] = numbers_of($2); next }
    $1 == "dir" {
      path = $0; sub(/^dir [^ ]* \.\/?/, "/", path)
      print "dir", $2, (path in owner ? owner[path] : "0:0"), path
      next
    }
    $1 == "link" { sub(/ \./, " "); print; next }
    {
      path = $0; sub(/^[a-z]* \.\//, "", path)
      kind = $1
      if (path ~ /^dev\//) kind = kind == "log" ? kind : "device"
      else if (path ~ own_etc || path ~ /^(etc\/(environment|ld[.]so[.]cache)|var\/log\/wtmp|run\/utmp)$/) kind = "make"
      print kind, "/" path
    }' /etc/passwd /etc/group -
}

# give OWNER PATH...: changes the owner of these files of the root; in a draft, notes it.
give() {
  local owner="$1" path
  shift
  for path in "$@"; do
    shift
    ! "$draft" || printf '%s %s\n' "$owner" "$path" >>"$work/owners"
    set -- "$@" "$root$path"
  done
  "$draft" || chown -- "$owner" "$@"
}

# note_owners PATH...: notes the owners that directories of the host would have in the root:
# secure gives them to root, except those that are set-group-ID, and keeps the group.
note_owners() {
  "$find" "$@" -type d \( ! -user root -perm -2000 -printf '%U:%G %p\n' -o ! -group root -printf '0:%G %p\n' \) \
    2>/dev/null | sed 's,/\.$,,; s,/\./,/,' >>"$work/owners" || :
}

# drafts DIRECTORY: true if files copied from that directory may be empty: in a draft, except
# those of /etc, some of which are read again.
drafts() {
  "$draft" || return 1
  case $1 in
  /etc | /etc/*) return 1 ;;
  esac
}

# draft_files FILE...: makes an empty file for each of these files of the host, unless
# something is in its place: that may be a link to a file of the host.
draft_files() {
  local file
  for file in "$@"; do
    if [ ! -e "$root$file" ] && [ ! -L "$root$file" ]; then
      : >"$root$file"
      [ ! -u "$file" ] || chmod u+s -- "$root$file"
      [ ! -g "$file" ] || chmod g+s -- "$root$file"
    fi
  done
}

# draft_tree FILE...: does the same for trees and files in them. It ignores errors: files
# that cannot be read are left out of the root too.
draft_tree() {
  note_owners "$@"
  if drafts "$tree"; then
    "$cp" -dpR --attributes-only --no-preserve=ownership -- "$@" "$root$tree/" 2>/dev/null || :
  else
    "$cp" -dpR -- "$@" "$root$tree/" 2>/dev/null || :
  fi
}
