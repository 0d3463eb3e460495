"""What tests of several kinds share: servers, homes, clocks. No tests."""
