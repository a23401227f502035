# Links the shipped program statically: a dynamic loader costs several times as much as virtuald itself, and nothing
# must be loaded after the chroot.
#
# Uses musl if it is installed, because glibc's start-up executes CPUID dozens of times, and in a virtual machine each
# one traps to the hypervisor. Debian's musl-tools support only C. C++ needs the headers of the compiler's C++ library
# before musl's (nothing of that library is linked), and the compiler's own headers after them. The compiler is asked
# for all these directories. Without musl, the host's libc is linked, also statically.

# Sets `result` to the directories that a compiler searches for <...>, in order. The command follows `language`.
function(ask_header_directories result language)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${ARGN} -x ${language} -E -v /dev/null
                  OUTPUT_QUIET ERROR_VARIABLE verbose)
  string(REGEX MATCH "#include <[^\n]*\n(.*)End of search list" matched "${verbose}")
  string(REGEX MATCHALL "[^ \n]+" directories "${CMAKE_MATCH_1}")
  set(${result} ${directories} PARENT_SCOPE)
endfunction()

function(find_musl)
  find_program(MUSL_GCC musl-gcc)
  if(NOT MUSL_GCC)
    return()
  endif()
  ask_header_directories(cxx_directories c++ ${CMAKE_CXX_COMPILER})
  set(library ${cxx_directories})
  list(FILTER library INCLUDE REGEX "/c\\+\\+/")
  set(own ${cxx_directories})
  list(FILTER own INCLUDE REGEX "/lib/(gcc|clang)/[^/]*.*/include$")
  ask_header_directories(musl_headers c ${MUSL_GCC})
  list(GET musl_headers 0 musl_headers)
  execute_process(COMMAND ${MUSL_GCC} -\#\#\# -x c /dev/null ERROR_VARIABLE link_line OUTPUT_QUIET)
  string(REGEX MATCH "[^ \"]+/crti\\.o" crti "${link_line}")
  get_filename_component(musl_objects "${crti}" DIRECTORY)
  if(NOT EXISTS "${musl_objects}/rcrt1.o" OR NOT EXISTS "${musl_headers}/stdlib.h")
    return()
  endif()
  set(includes -nostdinc -nostdinc++)
  foreach(directory ${library} ${musl_headers} ${own})
    list(APPEND includes "SHELL:-isystem ${directory}")
  endforeach()
  set(MUSL_HEADERS ${includes} PARENT_SCOPE)
  set(MUSL_OBJECTS ${musl_objects} PARENT_SCOPE)
endfunction()

find_musl()

if(MUSL_OBJECTS)
  message(STATUS "virtuald is linked statically against musl (${MUSL_OBJECTS})")
else()
  message(STATUS "virtuald is linked statically against the host's libc, because musl-gcc was not found "
                 "(Debian: musl-tools); with musl it starts several times faster")
endif()

# Static and position independent, with read-only relocations and without libstdc++. Code and data share pages of the
# file (noseparate-code), because every page that is mapped costs time.
function(link_statically target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON IS_MUSL false)
  target_link_options(${target} PRIVATE
    -static-pie LINKER:-z,relro,-z,now,-z,noexecstack,-z,noseparate-code,--gc-sections,--build-id=none)
  target_compile_options(${target} PRIVATE -fPIE -ffunction-sections -fdata-sections
    # Nothing is ever thrown or unwound.
    -fno-asynchronous-unwind-tables
    # In every build type: with optimisation, libstdc++ is needed only for its headers.
    -O2 -U_GLIBCXX_ASSERTIONS)
  if(MUSL_OBJECTS)
    set_target_properties(${target} PROPERTIES IS_MUSL true)
    # libstdc++'s os_defines.h tests the version of glibc.
    target_compile_options(${target} PRIVATE ${MUSL_HEADERS} "-D__GLIBC_PREREQ(a,b)=0")
    target_link_options(${target} PRIVATE -nostdlib ${MUSL_OBJECTS}/rcrt1.o ${MUSL_OBJECTS}/crti.o)
    target_link_libraries(${target} PRIVATE ${MUSL_OBJECTS}/libc.a -lgcc ${MUSL_OBJECTS}/crtn.o)
  else()
    target_link_options(${target} PRIVATE -nodefaultlibs)
    target_link_libraries(${target} PRIVATE -Wl,--start-group -lc -lgcc -lgcc_eh -Wl,--end-group)
  endif()
endfunction()
