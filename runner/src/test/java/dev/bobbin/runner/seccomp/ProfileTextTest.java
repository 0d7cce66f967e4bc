package dev.bobbin.runner.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.bobbin.runner.kernel.Abi;
import dev.bobbin.runner.seccomp.Profile.Condition;
import dev.bobbin.runner.seccomp.Profile.Operator;
import dev.bobbin.runner.seccomp.Profile.Rule;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProfileTextTest {
    @Test
    void readsWhatOciWrites() {
        var profile = read("""
                {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
                 "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_S390X"],
                 "flags": ["SECCOMP_FILTER_FLAG_LOG"],
                 "syscalls": [
                    {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
                    {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13, "args": [
                        {"index": 1, "value": 18446744073709551615, "valueTwo": 7, "op": "SCMP_CMP_MASKED_EQ"}]}]}
                """);
        assertThat(profile.abis()).containsExactlyInAnyOrder(Abi.X86_64, Abi.X86, Abi.X32);
        assertThat(profile.otherwise()).isEqualTo(Action.errno(38));
        assertThat(profile.rules())
                .containsExactly(
                        new Rule(Set.of("read", "write"), Action.ALLOW, List.of()),
                        new Rule(
                                Set.of("mkdir"),
                                Action.errno(13),
                                List.of(new Condition(1, Operator.MASKED_EQUAL, -1, 7))));
    }

    @Test
    void readsWhatDockerAddsForAJobsCapabilities() {
        var profile = read("""
                {"defaultAction": "SCMP_ACT_ERRNO",
                 "archMap": [
                    {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
                    {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
                    {"architecture": "SCMP_ARCH_RISCV64", "subArchitectures": null}],
                 "syscalls": [
                    {"names": ["a"], "action": "SCMP_ACT_ALLOW", "args": null, "comment": "", "includes": {}, "excludes": {}},
                    {"names": ["b"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
                    {"names": ["c"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_CHROOT"]}},
                    {"names": ["d"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
                    {"names": ["e"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_CHOWN"]}},
                    {"names": ["f"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "x32"]}},
                    {"names": ["g"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["s390x"]}},
                    {"names": ["h"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
                    {"names": ["i"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "99.0"}},
                    {"name": "j", "action": "SCMP_ACT_ALLOW"}]}
                """);
        assertThat(profile.abis()).containsExactlyInAnyOrder(Abi.X86_64, Abi.X86);
        assertThat(profile.otherwise()).isEqualTo(Action.errno(1));
        assertThat(profile.rules().stream().flatMap(rule -> rule.names().stream()))
                .containsExactly("a", "c", "d", "f", "h", "j");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}; the action SCMP_ACT_NOTIFY is not known here",
                "{\"defaultAction\": 1}; \"defaultAction\" must be a text",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerPath\": \"/x\"}; \"listenerPath\" of the profile is not known here",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": {}}; \"syscalls\" must be a list",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [1], \"action\": \"SCMP_ACT_ALLOW\"}]}; \"names\" must be a list of texts",
                "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 5000}; an errno is between 0 and 4095, not 5000",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"a\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 6, \"op\": \"SCMP_CMP_EQ\"}]}]}; a call has no argument 6",
                "[]; no JSON that is understood here, at character 0",
            })
    void refusesWhatItCannotKeepTo(String text, String why) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(why);
    }

    private static Profile read(String text) {
        return ProfileText.read(text, Abi.X86_64);
    }
}
