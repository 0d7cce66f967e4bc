package dev.bobbin.runner.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.bobbin.runner.Limits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What people run, under all protections, on the machine's own programs; one that the machine lacks is passed over.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class OrdinaryProgramsIT {
    private static final Limits ROOM = new Limits(2L << 30, 0, 1024, Duration.ofSeconds(100), 64 << 20, 1L << 30);

    private static final String PRINTS_42 = """
            cat > a.c <<'END'
            #include <stdio.h>
            int main(void) { printf("42\\n"); }
            END
            """;

    private TestHost host;

    @BeforeAll
    void open() throws Exception {
        host = TestHost.open(2);
    }

    @AfterAll
    void close() throws Exception {
        host.close();
    }

    /// A program that is needed, a script, and what it prints.
    static Stream<Arguments> programs() {
        return Stream.of(
                arguments("java", "java -XX:+UseZGC -Xshare:off -version 2>&1 | grep -c version", "1"),
                arguments("javac", """
                        cat > A.java <<'END'
                        class A { public static void main(String[] args) throws Exception {
                            var thread = new Thread(() -> System.out.println(42)); thread.start(); thread.join(); } }
                        END
                        javac A.java && java A
                        """, "42"),
                arguments(
                        "python3",
                        "/usr/bin/python3 -c 'import multiprocessing as m; print(m.Pool(2).map(abs, [-42])[0])'",
                        "42"),
                arguments("python3", """
                        /usr/bin/python3 -c '
                        import asyncio, socket
                        s = socket.create_server(("127.0.0.1", 80))
                        print(asyncio.run(asyncio.sleep(0, 42)))'
                        """, "42"),
                arguments("node", """
                        node -e 'require("fs").promises.readFile("/etc/hostname").then(() =>
                            new (require("worker_threads").Worker)("console.log(42)", {eval: true}))'
                        """, "42"),
                arguments("gcc", PRINTS_42 + "gcc -O2 -pthread a.c && ./a.out", "42"),
                arguments("gcc", PRINTS_42 + "gcc -fsanitize=address,undefined a.c && ./a.out", "42"),
                arguments("strace", "strace -f -o trace sh -c '/bin/true; echo 42' && grep -q /bin/true trace", "42"),
                arguments("gdb", "gdb -batch -ex run --args true 2>&1 | grep -c 'exited normally'", "1"),
                arguments("valgrind", "valgrind -q true && echo 42", "42"),
                arguments("busybox", "busybox sh -c 'busybox seq 42 | busybox tail -n 1'", "42"),
                arguments("perl", "perl -e 'if (fork) { wait; print 42 }'", "42"),
                arguments("git", """
                        git init -q . && git -c user.name=a -c user.email=b commit -q --allow-empty -m 42 \
                        && git log --format=%s
                        """, "42"),
                arguments("openssl", "openssl genrsa 2048 2>/dev/null | grep -c 'BEGIN.*PRIVATE'", "1"),
                arguments("curl", """
                        /usr/bin/python3 -m http.server 8000 >/dev/null 2>&1 &
                        until curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8000/ | grep 200; do sleep 0.1; done
                        """, "200"),
                arguments("sqlite3", """
                        sqlite3 a.db 'pragma journal_mode=wal; create table t (a); insert into t values (42)' >/dev/null
                        sqlite3 a.db 'select a from t'
                        """, "42"),
                arguments("make", "printf 'all: ; @echo 42\\n' > Makefile; make -j4", "42"),
                arguments("tar", """
                        mkdir d e; echo 42 > d/f; ln -s f d/l; mkfifo d/p; setfattr -n user.a -v b d/f 2>/dev/null
                        tar cf - --xattrs d | tar xf - --xattrs -C e; cat e/d/l
                        """, "42"),
                arguments("redis-server", """
                        redis-server --port 0 --unixsocket r.sock --io-threads 2 >/dev/null &
                        until redis-cli -s r.sock ping 2>/dev/null | grep PONG; do sleep 0.1; done
                        """, "PONG"),
                arguments("docker", "docker --version | grep -c version", "1"),
                arguments("useradd", "useradd -M bob && id -un bob", "bob"),
                arguments("setpriv", "setpriv --reuid 1000 --regid 1000 --clear-groups id -u", "1000"),
                arguments("ip", "ip -br link show lo | grep -c LOOPBACK", "1"),
                arguments("ss", "ss -ltn | grep -c State", "1"),
                arguments("ps", "ps -e | grep -c ps", "1"),
                arguments("chroot", "chroot / /bin/echo 42", "42"),
                arguments("flock", "flock lock echo 42", "42"),
                arguments("taskset", "taskset -c 0 nice -n 5 ionice -c 3 echo 42", "42"),
                arguments("script", "script -qec 'echo 42' /dev/null", "42"),
                arguments("ipcs", "ipcmk -M 4096 >/dev/null && ipcs -m | grep -c root", "1"),
                arguments("setarch", "setarch linux32 uname -m", "i686"));
    }

    @ParameterizedTest
    @MethodSource("programs")
    void run(String program, String script, String output) throws Exception {
        assumeTrue(isHere(program), program + " is not installed here");
        var result = host.request("sh", "-c", script).workdir("/w").limits(ROOM).run();
        assertThat(result.stdout().strip()).as(result.toString()).isEqualTo(output);
    }

    private static boolean isHere(String program) {
        return Stream.of("/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin")
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    }
}
