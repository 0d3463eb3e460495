{{ union_segments('sessions') }}
