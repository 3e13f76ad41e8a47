# troupe_outside_test(name [TIMEOUT seconds] [HEAVY] [WORKERS count] [PLAIN])
#
# A Python file that starts the built binary and talks to its sockets; one
# ctest entry a file, label "outside". Most of the time they wait, so ./test
# runs more of them at once than there are processors; HEAVY ones, with several
# nodes or thousands of clients, count as two. The long ones begin first.
# With WORKERS it is one more entry, of nodes that have so many. PLAIN, a label
# too, is for what tells nothing more about code under a sanitizer: it measures
# memory, or repeats with another client or with workers what others do.
function(troupe_outside_test name)
  cmake_parse_arguments(arg "HEAVY;PLAIN" "TIMEOUT;WORKERS" "" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 180)
  endif()
  set(cost ${arg_TIMEOUT})
  set(processors 1)
  if(arg_HEAVY)
    set(processors 2)
  endif()
  set(environment "TROUPE_BIN=$<TARGET_FILE:troupe>"
      "TROUPE_TEST_JS_DIR=${CMAKE_CURRENT_BINARY_DIR}/js")
  if(TROUPE_SANITIZE)
    # Slower, and its memory says nothing about the program's.
    math(EXPR arg_TIMEOUT "3 * ${arg_TIMEOUT}")
    list(APPEND environment TROUPE_TEST_SANITIZED=1 TROUPE_TEST_DEADLINE=90)
  endif()
  set(labels outside)
  if(arg_PLAIN)
    list(APPEND labels plain)
  endif()
  set(entry ${name})
  if(arg_WORKERS)
    list(APPEND environment TROUPE_TEST_WORKERS=${arg_WORKERS})
    string(APPEND entry ".workers")
  endif()
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME folder)
  add_test(
    NAME ${folder}.${entry}
    COMMAND ${Python3_EXECUTABLE} -B -m unittest -v tests.${folder}.${name}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(
    ${folder}.${entry}
    PROPERTIES
      LABELS "${labels}"
      TIMEOUT ${arg_TIMEOUT}
      PROCESSORS ${processors}
      COST ${cost}
      # Every test of the file was skipped: nothing was proved.
      SKIP_REGULAR_EXPRESSION "Ran [01] tests? in [^\n]*\n\nOK .skipped=1."
      ENVIRONMENT "${environment}")
endfunction()
