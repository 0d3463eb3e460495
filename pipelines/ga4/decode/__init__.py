"""How an answer is read: from protobuf to Arrow columns, and what it must not contradict."""
