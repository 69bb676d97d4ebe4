<?php
// Says which profile and version it is, and gives back what it is sent.
header('Content-Type: text/plain');
header('X-Version: ' . getenv('VERSION'));
header('X-Profile: ' . getenv('PROFILE'));
if (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) === '/profile') {
    echo getenv('PROFILE');
} else {
    readfile('php://input');
}
