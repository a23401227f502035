# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/copy.sh - copying from the host.

# choose_copy: sets clone to the option with which cp clones files where the file system can,
# if cp has it; and link to the option with which it makes hard links, if -l was given and
# they are possible.
choose_copy() {
  clone=''
  if "$cp" --reflink=auto -- /dev/null "$work/null" 2>/dev/null; then
    clone=--reflink=auto
  fi
  link=''
  if "$hard_links"; then
    if ln -f -- "$(readlink -f /bin/sh)" "$work/link" 2>/dev/null; then
      link=-l
    else
      warn "$VIRTUAL: on a different file system from the host's programs: copying instead of making hard links"
    fi
  fi
}

# link_option DIRECTORY: prints the option with which the host's files in the directory are
# hard-linked. Nothing in /etc is ever shared with the host.
link_option() {
  case $1 in
  /etc | /etc/*) ;;
  *) printf '%s\n' "$link" ;;
  esac
}

# copy_files: copies the files named on standard input, one per line, to the same paths in
# the root, with one cp for each directory. Links are followed.
copy_files() {
  by_directory copy_batch
}

# by_directory COMMAND: reads the names of files, one per line, and calls COMMAND DIRECTORY
# FILE... once for each run of names in the same directory.
by_directory() {
  local command="$1" file above directory=''
  set --
  while IFS= read -r file; do
    above=''
    case $file in
    */*) above=${file%/*} ;;
    esac
    if [ "$above" != "$directory" ]; then
      [ $# -eq 0 ] || "$command" "$directory" "$@"
      set --
      directory=$above
    fi
    set -- "$@" "$file"
  done
  [ $# -eq 0 ] || "$command" "$directory" "$@"
}

# copy_batch DIRECTORY FILE...: the step of copy_files for one directory.
copy_batch() {
  local batch="$1" use_link linked
  shift
  [ -d "$root$batch" ] || mkdir -p -- "$root$batch"
  if drafts "$batch"; then
    draft_files "$@"
    return
  fi
  use_link=$(link_option "$batch")
  "$cp" -Lp ${use_link:+"$use_link"} ${clone:+"$clone"} -t "$root$batch" -- "$@" || failed "$batch"
  [ -n "$use_link" ] || return 0
  for linked in "$@"; do
    # Some versions of cp link to the symbolic link itself.
    if [ -L "$root$linked" ]; then
      rm -- "$root$linked"
      "$cp" -Lp -- "$linked" "$root$linked" || failed "$linked"
    fi
  done
}

# copy_missing: the same as copy_files, for the files that the root lacks.
copy_missing() {
  local file
  while IFS= read -r file; do
    if [ ! -e "$root$file" ]; then
      printf '%s\n' "$file"
    fi
  done | copy_files
}

# copy_tree DIRECTORY [FILE...]: copies a directory of the host, or only these files in it,
# with owners and modes, but without capabilities and access lists. Files that not
# everybody may read are left out.
copy_tree() {
  copy_all "$@"
  leave_out_secrets "$1"
}

# copy_readable DIRECTORY: the same as copy_tree, for a directory that may belong to an
# account other than root. That account could replace a file with a link to a secret after
# it was checked and before root reads it, so the outsider, who cannot read secrets, reads
# the files.
copy_readable() {
  local tar message same_owner
  tar=$(find_program tar)
  same_owner=--same-owner
  if "$draft"; then
    note_owners "$1"
    same_owner=--no-same-owner
  fi
  # shellcheck disable=SC2086 # the words of a command
  {
    $outsider "$tar" -C / -cf - -- "${1#/}" 2>"$work/unread" || :
  } | "$tar" -C "$root" -xpf - --numeric-owner "$same_owner" || failed "$1"
  while IFS= read -r message; do
    case $message in
    *': Cannot open: '*)
      message=${message#"$tar: "}
      say_secret "/$(one_line "${message%%: Cannot open: *}")"
      ;;
    esac
  done <"$work/unread"
  leave_out_secrets "$1"
}

# copy_all DIRECTORY [FILE...]: does the copying for copy_tree. Files that cannot be
# hard-linked are copied.
copy_all() {
  local tree="$1" use_link
  shift
  [ -d "$root$tree" ] || mkdir -p -- "$root$tree"
  if [ $# -eq 0 ]; then
    set -- "$tree/."
  fi
  if "$draft"; then
    draft_tree "$@"
    return
  fi
  use_link=$(link_option "$tree")
  if [ -n "$use_link" ]; then
    if "$cp" -dpRl -- "$@" "$root$tree/" 2>/dev/null; then
      return
    fi
    "$cp" -dpRn -- "$@" "$root$tree/" || failed "$tree"
  else
    "$cp" -dpR ${clone:+"$clone"} -- "$@" "$root$tree/" || failed "$tree"
  fi
}

# say_secret FILE [REASON]: says that the file was left out, and how to add it; but not with -s, which makes a root only
# to compare domains with it.
say_secret() {
  [ "$verb" = status ] || warn "$1: ${2:+$2, and }not everybody may read it: left out; to add it: cp -p $1 $place$1"
}
