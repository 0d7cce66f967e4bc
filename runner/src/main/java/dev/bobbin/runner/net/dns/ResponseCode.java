package dev.bobbin.runner.net.dns;

/// How an answer says that all is well, or what is not. Numbers other than these are passed on as they are.
final class ResponseCode {
    static final int NO_ERROR = 0;
    static final int FORMAT_ERROR = 1;
    static final int SERVER_FAILURE = 2;
    static final int NO_SUCH_NAME = 3;
    static final int NOT_IMPLEMENTED = 4;
    static final int REFUSED = 5;
    static final int BAD_VERSION = 16;

    private ResponseCode() {}
}
