/// All settings, from four places: command-line flags win over `BOBBIN_*` variables, these over the YAML file, the file
/// over the defaults. [dev.bobbin.ops.config.BobbinConfig] is a record of the records that the capabilities own; a key
/// is the record path in lower case with dashes, `host.keep-ended`. A key that nothing reads stops the start.
@NullMarked
package dev.bobbin.ops.config;

import org.jspecify.annotations.NullMarked;
