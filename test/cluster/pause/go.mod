module loadtest/test/cluster/pause

go 1.21
