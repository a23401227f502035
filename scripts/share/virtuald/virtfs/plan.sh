# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/plan.sh - the plan of a domain: writing it, and comparing listings and other plans with it.
#
# The plan of a domain, $VIRTUAL/.virtfs/.plans/DOMAIN, lists what virtfs installed there,
# in sorted lines:
#   f MODE OWNER:GROUP SIZE TIME PATH    a file in the system directories
#   l - - - - PATH -> TARGET             a link there
#   d MODE OWNER:GROUP - - PATH          a directory there
#   v MODE OWNER:GROUP - - PATH          a directory in var or run, which is made if missing
#   e SUM PATH                           a file in etc, which the domain may change
#   E TARGET PATH                        a link in etc

# In these, -u replaces every file that differs.
system_directories='bin sbin lib lib32 lib64 libx32 usr'

# The files of etc that are the domain's own from the start.
own_etc='^etc/(passwd|group|shadow|gshadow|subuid|subgid|hostname|mailname|hosts|aliases|nsswitch[.]conf|login[.]defs|adduser[.]conf)$'

# A domain may have a tree so deep that printing its paths never ends. No host's tree has this
# many levels.
most_levels=40

# list_root DIRECTORY [LEVELS]: prints the lines of a plan for the system directories of a root
# and the directories in its var and run, down to that many levels. find follows no link. A
# name with a newline in it is left out, because a domain could forge lines with it.
list_root() (
  cd -P -- "$1" || exit
  # The names of directories, of which a root may lack some.
  # shellcheck disable=SC2086
  exec "$find" $system_directories var run ${2:+-maxdepth "$2"} -name "*$newline*" -prune -o \
    \( -path 'var*' -o -path 'run*' \) \( ! -type d -o -printf 'v %m %U:%G - - %p\n' \) -o \
    -type f -printf 'f %m %U:%G %s %T@ %p\n' -o \
    -type l ! -lname "*$newline*" -printf 'l - - - - %p -> %l\n' -o \
    -type d -printf 'd %m %U:%G - - %p\n' 2>/dev/null
)

# list_etc DIRECTORY: prints the lines for etc, of a root that nobody else can change. A link
# is left out if its target has spaces or newlines in it: the target is copied from the
# host, where an account may have made it to forge a line.
list_etc() {
  (
    cd -P -- "$1"
    find etc -type f | grep -vE -e "$own_etc" | tr '\n' '\0' | xargs -0 -r sha256sum -- |
      sed 's/^\([0-9a-f]*\)  /e \1 /'
    "$find" etc -type l ! -lname "*[ $newline]*" -printf 'E %l %p\n'
  )
}

# write_plan ROOT FILE: writes the plan of a new root.
write_plan() {
  {
    list_root "$1" || :
    list_etc "$1"
  } | sort >"$2" || failed 'the plan'
}

# path_of: awk's function for the path in a line of a plan; it is empty for lines of etc.
# shellcheck disable=SC2016 # a script
path_of='
  function path_of(   path) {
    path = $0
    sub(/^[^ ]* [^ ]* [^ ]* [^ ]* [^ ]* /, "", path)
    if (/^l/) sub(/ -> .*/, "", path)
    return /^[eE]/ ? "" : path
  }'

# compare NEW OLD: compares a listing, lines of a plan that it reads from standard input, with
# the new plan, and the new plan with the old one. It writes these files in the hidden
# directory:
#   changed    the paths of the files in the new plan that are missing from the listing or
#              differ in it, grouped by directory: those of libraries first, and in each the
#              loader and the C library first
#   missing    "MODE OWNER PATH" for each directory that the listing lacks
#   gone       the paths in the listing that are in the old plan only
#   etc        "VALUE OLD-VALUE PATH" for each file of etc that differs in the two plans
#   other      empty if the plans are the same
compare() {
  local list
  for list in changed missing gone etc other; do
    : >"$work/$list"
  done
  work=$work awk "$path_of"'
    function path_in_etc(   path) { path = $0; sub(/^[^ ]* [^ ]* /, "", path); return path }
    function put(line, list) { print line >(work "/" list); is_open[list] }
    # The loader and the C library must match, so they are replaced together.
    function put_files(directory,   first, i) {
      for (first = 1; first >= 0; first--)
        for (i = 1; i <= files[directory]; i++)
          if ((file[directory, i] ~ /\/(ld[^\/]*|libc)[.]so[^\/]*$/) == first) put(file[directory, i], "changed")
    }
    BEGIN { work = ENVIRON["work"] }
    FILENAME == ARGV[1] { line[++count] = $0; path[$0] = path_of(); is[path[$0]]; next }
    FILENAME == ARGV[2] {
      old[$0]
      if (!($0 in path)) is_other = 1
      if (/^[fld]/) was[path_of()]
      if (/^[eE]/) before[$1, path_in_etc()] = $2
      next
    }
    # A domain may have any number of files: only those in a plan are remembered.
    $0 in path { present[$0]; there[path[$0]]; next }
    { text = path_of(); if (text in is || text in was) there[text] }
    END {
      for (i = 1; i <= count; i++) {
        $0 = line[i]; text = path[$0]
        if (!($0 in old)) is_other = 1
        if (/^[fl]/ && !($0 in present)) {
          directory = text; sub(/\/?[^\/]*$/, "", directory)
          file[directory, ++files[directory]] = text
        }
        # The domain may have changed the mode of a directory.
        if (/^[dv]/ && !(text in there)) put($2 " " $3 " " text, "missing")
        if (/^[eE]/ && !($0 in old)) {
          text = path_in_etc()
          put($2 " " (($1, text) in before ? before[$1, text] : "-") " " text, "etc")
        }
      }
      for (directory in files) if (directory ~ /(^|\/)lib/) put_files(directory)
      for (directory in files) if (directory !~ /(^|\/)lib/) put_files(directory)
      for (text in was) if (!(text in is) && text in there) put(text, "gone")
      if (is_other) put("yes", "other")
      # On a full disk, a path in gone might be cut short and name a file that is needed.
      for (list in is_open) if (close(work "/" list) != 0) exit 1
    }' "$1" "$2" - || return
  # Directories are made from the top down, and removed from the bottom up.
  [ ! -s "$work/missing" ] || sort -k 3 -o "$work/missing" -- "$work/missing" || return
  [ ! -s "$work/gone" ] || sort -r -o "$work/gone" -- "$work/gone"
}
