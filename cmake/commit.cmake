# cmake -DSOURCE=<repository> -DOUTPUT=<file> [-DCOMMIT=<text>]
#       -P cmake/commit.cmake
#
# Writes the commit of the tree, or what is given for a tree without its
# repository, as a C++ string literal; touches the file only if it changed, so
# that nothing is built again for nothing.
if(COMMIT)
  file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "\"${COMMIT}\"\n")
  return()
endif()
execute_process(
  COMMAND git -C ${SOURCE} describe --always --abbrev=12 --dirty --exclude=*
  OUTPUT_VARIABLE commit
  OUTPUT_STRIP_TRAILING_WHITESPACE
  ERROR_QUIET
  RESULT_VARIABLE failed)
if(failed OR commit STREQUAL "")
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "\"${commit}\"\n")
