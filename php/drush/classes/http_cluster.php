<?php

/**
 * @file
 * The Web Cluster: every server has a copy on a disk of its own.
 */

require_once __DIR__ . '/http_group.php';

/**
 * Takes the place of Provision's class of that name.
 */
class Provision_Service_http_cluster extends AegirScaleHttpGroup {

  /**
   * {@inheritdoc}
   */
  public static function option_documentation() {
    return array(
      'cluster_web_servers' => 'server with cluster: its web servers, with commas between them',
    );
  }

  /**
   * {@inheritdoc}
   */
  public function init_server() {
    $this->server->setProperty('cluster_web_servers', array(), TRUE);
  }

  /**
   * Calls a method of each server's service.
   *
   * @return bool
   *   TRUE only if all of them returned what is true.
   */
  public function _each_server($method, $args = array()) {
    return $this->scale_each($this->server->cluster_web_servers, $method, $args);
  }

  /**
   * Does nothing: this machine has the code, and what visitors uploaded is brought by aegir_scale.
   */
  public function fetch($path = NULL) {
    $this->scale()->gather($this->server->name, (string) $path);

    return TRUE;
  }

  /**
   * {@inheritdoc}
   */
  protected function scale_holders() {
    return (array) $this->server->cluster_web_servers;
  }

  /**
   * {@inheritdoc}
   */
  protected function scale_all() {
    return (array) $this->server->cluster_web_servers;
  }

}
