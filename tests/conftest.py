"""Settings of the whole test suite."""

from hypothesis import settings

# A time limit on each example makes a test fail where the machine is busy, not where the code is wrong.
settings.register_profile("dse", deadline=None, print_blob=True)
settings.load_profile("dse")
