# What every target of the project has in common, and the three ways to make one: a folder's
# library, a cmocka test that links only what it tests, a fuzz target.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(STOMPGATE_TESTS "Build the unit tests" ON)
option(STOMPGATE_FUZZ "Build the fuzz targets for libFuzzer (clang)" OFF)
set(STOMPGATE_SANITIZE "" CACHE STRING "Sanitizers for every target, as -fsanitize takes them")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

find_package(OpenSSL 3.0 REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(URING REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(H2O REQUIRED IMPORTED_TARGET libh2o-evloop)

add_library(stompgate_options INTERFACE)
target_compile_definitions(stompgate_options INTERFACE _GNU_SOURCE H2O_USE_LIBUV=0)
target_compile_options(stompgate_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
  -fstack-protector-strong -fno-omit-frame-pointer)
target_include_directories(stompgate_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
if(STOMPGATE_SANITIZE)
  target_compile_options(stompgate_options INTERFACE
    -fsanitize=${STOMPGATE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(stompgate_options INTERFACE -fsanitize=${STOMPGATE_SANITIZE})
else()
  target_compile_definitions(stompgate_options INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
if(STOMPGATE_FUZZ)
  target_compile_options(stompgate_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# h2o's headers are not written for our warnings, nor is jansson's: they are system headers here.
add_library(stompgate_h2o INTERFACE)
target_link_libraries(stompgate_h2o INTERFACE PkgConfig::H2O OpenSSL::SSL ZLIB::ZLIB Threads::Threads)

# stompgate_library(NAME SOURCES a.c b.c [LINK targets])
#
# One folder, one library. LINK is the list of what the folder may know; a test of the folder links
# nothing else, so that a dependency that is not in the list fails to link there.
function(stompgate_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE stompgate_options PUBLIC ${ARG_LINK})
endfunction()

# stompgate_test(FOLDER/NAME SOURCES x_test.c LINK targets)
function(stompgate_test name)
  if(NOT STOMPGATE_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  string(REPLACE "/" "_" target "test_${name}")
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE stompgate_options ${ARG_LINK} cmocka)
  add_test(NAME ${name} COMMAND ${target})
  # Never a hang, and a leak's report names the two known ones of libh2o only.
  set_tests_properties(${name} PROPERTIES TIMEOUT 120 ENVIRONMENT
    "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0;TSAN_OPTIONS=halt_on_error=1")
endfunction()

# stompgate_portable_test(NAME SOURCES x_test.c x.c LINK targets): the test of x.c once more, as NAME_portable,
# without the instructions that only some processors have.
function(stompgate_portable_test name)
  if(NOT STOMPGATE_TESTS)
    return()
  endif()
  stompgate_test(${name}_portable ${ARGN})
  string(REPLACE "/" "_" target "test_${name}_portable")
  target_compile_definitions(${target} PRIVATE STOMPGATE_PORTABLE)
  # One entry for each file: the static checks take a second one as well.
  set_target_properties(${target} PROPERTIES EXPORT_COMPILE_COMMANDS OFF)
endfunction()

# stompgate_fuzz(NAME SOURCES x_fuzz.c LINK targets): tests/fuzz/seeds/NAME holds its seeds.
function(stompgate_fuzz name)
  if(NOT STOMPGATE_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(fuzz_${name} ${ARG_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE stompgate_options ${ARG_LINK})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
