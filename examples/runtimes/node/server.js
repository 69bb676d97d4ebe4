// Says which profile and version it is, and gives back what it is sent.
'use strict'
const http = require('node:http')

const { PROFILE = '', VERSION = '', PORT = '8080' } = process.env

const server = http.createServer((request, response) => {
  response.setHeader('X-Version', VERSION)
  response.setHeader('X-Profile', PROFILE)
  if (request.url === '/profile') {
    response.end(PROFILE)
    return
  }
  request.pipe(response)
})

server.keepAliveTimeout = 5000 // ms; the default
server.listen(PORT)

// Without a handler, process 1 ignores SIGTERM, and the engine kills it after the grace period.
process.on('SIGTERM', () => {
  server.close() // exits when the last request is answered
  server.closeIdleConnections() // Node 19 and later do this by themselves
})
