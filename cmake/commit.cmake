# cmake -DSOURCE=<repository> -DOUTPUT=<file> -P cmake/commit.cmake
#
# Writes the commit of the tree as a C++ string literal; touches the file only
# if it changed, so that nothing is built again for nothing.
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
