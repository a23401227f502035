# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/languages.sh - the libraries of interpreters, and the descriptions of terminals.

# make_python: copies the library of each python, except what the site put in /usr/local, and the shared libraries of
# its modules. It adds these to uses.
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

# make_terminfo: copies the descriptions of the usual terminals.
make_terminfo() {
  copy_terminals a/ansi d/dumb l/linux r/rxvt s/screen s/screen-256color t/tmux t/tmux-256color \
    v/vt100 v/vt102 v/vt220 x/xterm x/xterm-256color x/xterm-color
}

# make_own_terminal: copies the entry of this terminal if the root has entries. It is not in the plan, because -u and -s
# may be called from another terminal.
make_own_terminal() {
  local terminal="${TERM:-dumb}"
  case $terminal in
  *[!A-Za-z0-9._+-]*) return 0 ;;
  esac
  case ${asked:+"$uses"} in
  */libtinfo* | */libncurses* | */libcurses*) copy_terminals "$(printf '%.1s' "$terminal")/$terminal" ;;
  esac
}

# copy_terminals ENTRY...: copies those of these entries of terminfo that the root lacks.
copy_terminals() {
  local directory terminal
  for directory in /etc/terminfo /usr/lib/terminfo /lib/terminfo /usr/share/terminfo; do
    for terminal in "$@"; do
      if [ -f "$directory/$terminal" ]; then
        canonical "$directory/$terminal"
      fi
    done
  done | sort -u | copy_missing
}

# make_perl: copies the library of perl, except for the site's own in /usr/local.
make_perl() {
  local directory path
  step 'the library of perl'
  # With -T, perl reads no variables such as PERL5LIB.
  perl -T -e 'print "$_\n" for @INC' | while IFS= read -r directory; do
    case $directory in
    /usr/local/* | /etc/* | .) continue ;;
    /*) ;;
    *) continue ;;
    esac
    if [ -d "$directory" ]; then
      path=$(canonical "$directory")
      copy_tree "$(readlink -f -- "$path")"
      [ ! -L "$path" ] || ln -sf -- "$(readlink -- "$path")" "$root$path"
    fi
  done
}
