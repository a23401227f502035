# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/plan.sh - the plan of a domain: its lines, and what they say beside what is there.
#
# The plan of a domain, $VIRTUAL/.virtfs/.plans/DOMAIN, is what was made there: a
# line for each file, sorted, as
#   f MODE OWNER:GROUP SIZE TIME PATH    a file of what -u replaces
#   l - - - - PATH -> TARGET             a link there
#   d MODE OWNER:GROUP - - PATH          a directory there
#   v MODE OWNER:GROUP - - PATH          a directory of var or run, made if missing
#   e SUM PATH                           a file of etc, that a domain may change
#   E TARGET PATH                        a link there

# What -u replaces whatever it finds.
system_directories='bin sbin lib lib32 lib64 libx32 usr'

# What a domain has of its own in etc from the first day.
own_etc='^etc/(passwd|group|shadow|gshadow|subuid|subgid|hostname|mailname|hosts|aliases|nsswitch[.]conf|login[.]defs|adduser[.]conf)$'

# list_root DIRECTORY: prints what is in the system directories of the root, and the
# directories of var and run, in lines of a plan. find follows no link. A name with a
# line end in it, by which a domain could put in lines of its own, is left out.
list_root() (
  cd -P -- "$1" || exit
  # Those that the host has.
  # shellcheck disable=SC2086
  exec "$find" $system_directories var run -name "*$newline*" -prune -o \
    \( -path 'var*' -o -path 'run*' \) \( ! -type d -o -printf 'v %m %U:%G - - %p\n' \) -o \
    -type f -printf 'f %m %U:%G %s %T@ %p\n' -o \
    -type l ! -lname "*$newline*" -printf 'l - - - - %p -> %l\n' -o \
    -type d -printf 'd %m %U:%G - - %p\n' 2>/dev/null
)

# list_etc DIRECTORY: the same for etc, of a root that nobody else can change. A link that
# an account of the host may have made there can lead to more than one word or line.
list_etc() {
  (
    cd -P -- "$1"
    find etc -type f | grep -vE -e "$own_etc" | tr '\n' '\0' | xargs -0 -r sha256sum -- |
      sed 's/^\([0-9a-f]*\)  /e \1 /'
    "$find" etc -type l ! -lname "*[ $newline]*" -printf 'E %l %p\n'
  )
}

# write_plan ROOT FILE: writes the plan of a root that was just made.
write_plan() {
  {
    list_root "$1" || :
    list_etc "$1"
  } | sort >"$2" || failed 'the plan'
}

# path_of: what awk does for the path in a line of a plan, but for those of etc.
# shellcheck disable=SC2016 # a script
path_of='
  function path_of(   path) {
    path = $0
    sub(/^[^ ]* [^ ]* [^ ]* [^ ]* [^ ]* /, "", path)
    if (/^l/) sub(/ -> .*/, "", path)
    return /^[eE]/ ? "" : path
  }'

# compare NEW OLD: compares what is there, in the lines of a plan that it reads, with the
# new plan, and that with the old one, and writes in the hidden directory
#   changed    the paths of files in the new plan that are not there as it says: libraries
#              first, the loader and the C library among them, then programs, each directory
#              at once
#   missing    "MODE OWNER PATH" of the directories that are not there
#   gone       the paths of the old plan that are there and must not be any more
#   etc        "VALUE OLD-VALUE PATH" of the files of etc that are not as in the old plan
#   other      whether the plans differ
compare() {
  local list
  for list in changed missing gone etc other; do
    : >"$work/$list"
  done
  work=$work awk "$path_of"'
    function put(line, list) { print line >(work "/" list); is_open[list] }
    # Those of a directory, the loader and the C library first and so close together.
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
      if (/^[eE]/) before[$1, $3] = $2
      next
    }
    # A domain has as many files as it likes: no more of them is kept than the plans name.
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
        # A directory that is there is the domain'"'"'s.
        if (/^[dv]/ && !(text in there)) put($2 " " $3 " " text, "missing")
        if (/^[eE]/ && !($0 in old)) put($2 " " (($1, $3) in before ? before[$1, $3] : "-") " " $3, "etc")
      }
      for (directory in files) if (directory ~ /(^|\/)lib/) put_files(directory)
      for (directory in files) if (directory !~ /(^|\/)lib/) put_files(directory)
      for (text in was) if (!(text in is) && text in there) put(text, "gone")
      if (is_other) put("yes", "other")
      # One that was cut short, on a full disk, would have needed files removed.
      for (list in is_open) if (close(work "/" list) != 0) exit 1
    }' "$1" "$2" -
  # What is in another directory comes after it, and goes before it.
  [ ! -s "$work/missing" ] || sort -k 3 -o "$work/missing" -- "$work/missing"
  [ ! -s "$work/gone" ] || sort -r -o "$work/gone" -- "$work/gone"
}
