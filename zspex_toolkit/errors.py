"""What a user did wrong, said in one line: where, what was expected, what was found, what to do."""


class UserError(ValueError):
    """A fault of data, settings or machine that its user can mend; commands print it without a traceback."""


class ConfigError(UserError):
    """A setting that does not exist or has a value out of its range."""


class DataDirError(UserError):
    """A Kaldi data directory, table or archive that breaks its format."""


class AudioError(UserError):
    """Audio that is missing, broken, or not of the asked rate, channels or length."""


class JobError(UserError):
    """A job that ended with a non-zero status."""
