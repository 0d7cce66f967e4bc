package dev.bobbin.image;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/// Images that other tools made, and the trees that their layers must add up to. Needs root.
public final class OtherTools {
    /* Times without fractions: the tools write no others. Not the same for all, and directories last. */
    private static final String WHOLE_SECONDS = """
            find $T -depth ! -type d ! -type l -print0 | xargs -0r touch -h -d @1600000001
            find $T -depth -type l -print0 | xargs -0r touch -h -d @1600000002
            find $T -depth -type d -name '*[aeiou]*' -print0 | xargs -0r touch -d @1600000003
            find $T -depth -type d ! -name '*[aeiou]*' -print0 | xargs -0r touch -d @1600000004
            """;

    /* Every kind of file, and what tools are known to lose. */
    private static final String FILES_OF_EVERY_KIND = """
            mkdir -p $T/bin $T/d/gone $T/replaced $T/home/app $T/run $T/var $T/tmp
            cp /bin/busybox $T/bin/busybox; ln -s busybox $T/bin/sh; ln -s /run $T/var/run
            chmod 1777 $T/tmp; chown 1000:1001 $T/home/app; chmod 2750 $T/home/app
            echo 'root:x:0:0::/:/bin/sh' > $T/passwd
            echo special > $T/d/setuid; chown 1000:1001 $T/d/setuid; chmod 6751 $T/d/setuid; ln $T/d/setuid $T/d/hard
            mkfifo -m 640 $T/d/pipe; mknod -m 600 $T/d/null c 1 3; mknod -m 660 $T/d/disk b 8 300
            cp /bin/true $T/d/capable; setcap cap_net_raw,cap_setpcap+ep $T/d/capable
            setfattr -n user.binary -v 0xff00010a3d80 $T/d/hard
            truncate -s 3M $T/d/sparse; printf end >> $T/d/sparse; chown 70000:70001 $T/d/sparse
            long=$(printf 'n%.0s' $(seq 120)); mkdir $T/d/$long; echo deep > $T/d/$long/$long
            echo away > $T/d/gone/f; echo away > $T/d/away; echo old > $T/replaced/old; : > "$T/d/a b $(printf '\\351')"
            """;

    private OtherTools() {}

    /// An image as a file.
    ///
    /// @param archive what its tool wrote
    /// @param tree what it was made of
    public record Made(Path archive, Path tree) {}

    /// An image of two layers by buildah, the second one with whiteouts and changes. Runs `cat /made` as user 1000.
    ///
    /// @param kind `oci-archive` or `docker-archive`
    public static Made buildah(Path directory, String kind) throws Exception {
        Tools.require("buildah", "setcap", "setfattr");
        var made = new Made(directory.resolve(kind + ".tar"), directory.resolve("tree"));
        Tools.shell("cd " + directory
                + "; b() { buildah --root $PWD/root --runroot $PWD/runroot --storage-driver vfs \"$@\"; };"
                + "one=$(b from scratch); T=$(b mount $one)\n" + FILES_OF_EVERY_KIND + WHOLE_SECONDS
                + """
                b commit -q $one first >/dev/null
                two=$(b from --isolation chroot first); T=$(b mount $two)
                b run --isolation chroot $two /bin/sh -c 'echo built > /made; echo 7 > /var/run/pid; mkdir /run/app'
                rm -r $T/d/gone $T/d/away $T/replaced; mkdir $T/replaced; echo new > $T/replaced/new
                ln $T/d/setuid $T/d/third; chmod 6755 $T/d/third; chmod 700 $T/d; rm $T/d/null; mkdir $T/d/null
                """
                + WHOLE_SECONDS
                + "cp -a $T tree; b config --cmd '[\"/bin/busybox\", \"cat\", \"/made\"]' --user 1000 $two;"
                + "b commit -q $two " + kind + ":$PWD/" + kind + ".tar:localhost/made:1; b rm -a >/dev/null");
        return made;
    }

    /// A Debian by mmdebstrap, packed by umoci into one layer. Runs a shell.
    public static Made debian(Path directory) throws Exception {
        Tools.require("mmdebstrap", "umoci", "setcap", "setfattr");
        Tools.shell("cd " + directory
                + "; umoci init --layout layout; umoci new --image layout:debian; umoci unpack --image layout:debian bundle;"
                + "rmdir bundle/rootfs;"
                + "mmdebstrap -q --variant=minbase --mode=root --format=directory bookworm bundle/rootfs;"
                + "T=bundle/rootfs; setcap cap_net_raw+ep $T/bin/true; setfattr -n user.note -v 0xff00 $T/etc/passwd\n"
                + WHOLE_SECONDS + "umoci repack --image layout:debian bundle;"
                + "umoci config --image layout:debian --config.cmd /bin/bash; tar -C layout -cf debian.tar .");
        return new Made(directory.resolve("debian.tar"), directory.resolve("bundle/rootfs"));
    }

    /// All that can be seen of the files of some layers that are mounted over each other: kinds, permissions, owners,
    /// times, content, targets, device numbers, attributes, and which names are one file.
    ///
    /// @param layers topmost first
    /// @param notes a file that does not exist yet
    public static Path census(List<Path> layers, Path notes) throws Exception {
        var lower = layers.stream().map(Path::toString).collect(Collectors.joining(":"));
        var empty = Files.createDirectory(notes.resolveSibling(notes.getFileName() + ".empty"));
        Tools.shell("export LC_ALL=C; { unshare -m sh -ec '"
                + "mount -t overlay none -o lowerdir=" + lower + ":" + empty + " " + empty + "; cd " + empty + "\n"
                + """
                find . -mindepth 1 -printf "%P %y %m %U:%G %T@ %l\\\\n" | sort
                find . -type f -print0 | sort -z | xargs -0r sha256sum
                find . ! -type d ! -type f ! -type l -print0 | sort -z | xargs -0r stat -c "%n %t:%T"
                find . -mindepth 1 -print0 | sort -z | xargs -0r getfattr -h -d -m - -e hex
                find . -type f -links +1 -printf "%i %P\\\\n" | sort -k1,1 -k2 |
                    awk "{ all[\\$1] = all[\\$1] \\" = \\" \\$2 } END { for (one in all) print all[one] }" | sort
                ';} >"""
                + " " + notes + "; rmdir " + empty);
        return notes;
    }

    /// Where two of them differ; nothing if they do not.
    public static String difference(Path one, Path other) throws Exception {
        return Tools.shell("diff " + one + " " + other + " | head -40");
    }
}
