"""Files of other programs, as they are found in the wild: refused by name, never misread."""

import pytest
import skhep_testdata

from kaongen.errors import EventFileError
from kaongen.events.inspection import inspect
from kaongen.events.reader import open_events


@pytest.fixture(params=["pylhe-testfile-sherpa.hdf5", "uproot-Zmumu.root"])
def foreign(request):
    try:
        return skhep_testdata.data_path(request.param)
    except OSError:
        pytest.skip("the file is not in the local cache, and the network does not reach it")


def test_an_event_file_of_another_program_is_refused(foreign):
    for look in (open_events, inspect):
        with pytest.raises(EventFileError, match="not"):
            look(foreign)
