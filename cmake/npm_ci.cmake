# cmake -D NPM=npm -D FILE=path -P npm_ci.cmake: installs what the lock file of the working
# directory names, and sees that FILE came with it.

execute_process(COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
  RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR NOT EXISTS ${FILE})
  message(FATAL_ERROR "npm could not install what package-lock.json names. Without a network, name "
    "the file when configuring: cmake --preset release -DSTOMPGATE_STOMPJS=.../stomp.umd.min.js")
endif()
file(TOUCH ${FILE}) # npm keeps the time of the package, which would be older than the lock file
