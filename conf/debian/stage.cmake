# Adds what a Debian package needs: compressed pages, a page for each link to virtexec, changelog, copyright, the
# settings of the scripts, and units in systemd's own directory.

set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(debian ${CPACK_VIRTUALD_SOURCE}/conf/debian)
set(documents ${root}/usr/share/doc/virtuald)

function(compress)
  execute_process(COMMAND gzip -9nf ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(GLOB pages ${root}/usr/share/man/man*/*)
compress(${pages})
file(GLOB links RELATIVE ${root}/usr/bin ${root}/usr/bin/virt*)
foreach(link ${links})
  if(IS_SYMLINK ${root}/usr/bin/${link})
    file(CREATE_LINK virtexec.8.gz ${root}/usr/share/man/man8/${link}.8.gz SYMBOLIC)
  endif()
endforeach()

file(COPY ${debian}/changelog ${debian}/copyright DESTINATION ${documents})
compress(${documents}/changelog)
# The licence is in copyright.
file(REMOVE ${documents}/LICENSE)
file(MAKE_DIRECTORY ${root}/usr/share/lintian/overrides)
file(COPY_FILE ${CPACK_VIRTUALD_SOURCE}/conf/debian/lintian-overrides ${root}/usr/share/lintian/overrides/virtuald)
# Puts the units where systemd finds them; none is enabled.
file(MAKE_DIRECTORY ${root}/usr/lib/systemd)
file(RENAME ${documents}/examples/systemd ${root}/usr/lib/systemd/system)
file(MAKE_DIRECTORY ${root}/etc/default)
file(COPY_FILE ${CPACK_VIRTUALD_SOURCE}/conf/default/virtuald ${root}/etc/default/virtuald)

# The modes must not depend on the umask or the work tree: root sources the settings and starts the programs.
execute_process(COMMAND chmod -R u=rwX,go=rX ${root} COMMAND_ERROR_IS_FATAL ANY)
