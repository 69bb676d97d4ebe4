#!/bin/sh
# php-fpm goes to the background, and nginx becomes process 1, which gets the stop signal: SIGQUIT, at which it answers
# what is under way. php-fpm ends with it.
set -eu
php-fpm8.2 --fpm-config /app/php-fpm.conf
exec nginx -c /app/nginx.conf -g 'daemon off;'
