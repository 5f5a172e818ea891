import threading

import pytest

from lab.kubelet.addresses import AddressPool, Exhausted, free_ranges


def test_ranges_are_cut_in_order_and_taken_ones_left_out():
    found = free_ranges("10.7.0.0/16", {"10.7.1.0/24", "10.7.3.0/24"})
    assert [next(found) for _ in range(3)] == ["10.7.2.0/24", "10.7.4.0/24", "10.7.5.0/24"]


def test_a_small_network_is_cut_into_sixteen():
    assert list(free_ranges("10.7.0.0/24", set()))[:2] == ["10.7.0.16/28", "10.7.0.32/28"]


def test_a_pod_keeps_its_address_and_others_get_others():
    pool = AddressPool("10.7.1.0/24")
    assert [pool.take(uid) for uid in ("a", "b", "a")] == ["10.7.1.2", "10.7.1.3", "10.7.1.2"]


def test_an_address_that_was_given_back_is_not_reused_at_once():
    pool = AddressPool("10.7.1.0/24")
    pool.take("a")
    pool.release("a")
    assert pool.take("b") == "10.7.1.3"


def test_an_address_that_a_pod_has_already_is_given_to_no_other():
    pool = AddressPool("10.7.1.0/24")
    pool.hold("old", "10.7.1.2")
    assert (pool.take("new"), pool.take("old")) == ("10.7.1.3", "10.7.1.2")


def test_a_pod_keeps_the_address_that_its_status_tells_if_it_is_one_of_the_nodes():
    pool = AddressPool("10.7.1.0/24")
    for uid, address in (("mine", "10.7.1.7"), ("from elsewhere", "10.9.9.9"), ("without", "")):
        pool.keep({"metadata": {"uid": uid}, "status": {"podIP": address}})
    assert [pool.take(uid) for uid in ("mine", "from elsewhere", "without")] == ["10.7.1.7", "10.7.1.2", "10.7.1.3"]


def test_a_full_range_says_so_and_serves_again_once_something_is_free():
    pool = AddressPool("10.7.1.0/28")
    taken = [pool.take(str(number)) for number in range(13)]
    assert taken[0] == "10.7.1.2" and taken[-1] == "10.7.1.14"
    with pytest.raises(Exhausted):
        pool.take("one too many")
    pool.release("5")
    assert pool.take("another") == taken[5]


def test_many_threads_get_different_addresses():
    pool, found = AddressPool("10.7.1.0/24"), []
    threads = [threading.Thread(target=lambda n=n: found.append(pool.take(str(n)))) for n in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 100
